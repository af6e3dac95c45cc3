#include "routing/fair_queue.h"

namespace mcpfleet::routing {

std::uint32_t FairQueue::take_slot() {
  if (free_ == kNone) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_;
  free_ = slots_[slot].after;
  return slot;
}

FairQueue::Line& FairQueue::line_of(const CallerId& caller) {
  const auto [found, is_new] = lines_.try_emplace(caller);
  Line& line = found->second;
  if (!is_new) return line;
  line.caller = caller;
  if (turn_ == nullptr) {
    line.before = line.after = turn_ = &line;
  } else {
    // Behind all others: just before the one whose turn it is.
    line.after = turn_;
    line.before = turn_->before;
    line.before->after = turn_->before = &line;
  }
  return line;
}

Ticket FairQueue::push(const CallerId& caller, MonotonicTime deadline) {
  const std::uint32_t number = take_slot();
  Line& line = line_of(caller);
  Slot& slot = slots_[number];
  slot = {.life = slot.life + 1,
          .waits = true,
          .deadline = deadline,
          .caller = caller,
          .before = line.last};
  (line.last == kNone ? line.first : slots_[line.last].after) = number;
  line.last = number;
  ++line.size;
  ++size_;
  return {number, slot.life};
}

std::uint32_t FairQueue::first_alive(const Line& line, MonotonicTime now) const {
  std::uint32_t slot = line.first;
  while (slot != kNone && slots_[slot].deadline <= now) slot = slots_[slot].after;
  return slot;
}

std::optional<Ticket> FairQueue::pop(MonotonicTime now) {
  for (std::size_t left = lines_.size(); left > 0; --left) {
    const std::uint32_t slot = first_alive(*turn_, now);
    turn_ = turn_->after;
    if (slot == kNone) continue;
    const Ticket ticket{slot, slots_[slot].life};
    unlink(slot);
    return ticket;
  }
  return std::nullopt;
}

bool FairQueue::remove(Ticket ticket) {
  if (ticket.slot >= slots_.size()) return false;
  const Slot& slot = slots_[ticket.slot];
  if (!slot.waits || slot.life != ticket.life) return false;
  unlink(ticket.slot);
  return true;
}

std::optional<Ticket> FairQueue::displace(const CallerId& newcomer) {
  const auto own = lines_.find(newcomer);
  const std::size_t would_have = own == lines_.end() ? 1 : own->second.size + 1;
  const Line* longest = nullptr;
  for (const auto& [caller, line] : lines_)
    if (longest == nullptr || line.size > longest->size) longest = &line;
  if (longest == nullptr || longest->size <= would_have) return std::nullopt;
  const Ticket ticket{longest->last, slots_[longest->last].life};
  unlink(ticket.slot);
  return ticket;
}

void FairQueue::unlink(std::uint32_t number) {
  Slot& slot = slots_[number];
  Line& line = lines_.find(slot.caller)->second;
  (slot.before == kNone ? line.first : slots_[slot.before].after) = slot.after;
  (slot.after == kNone ? line.last : slots_[slot.after].before) = slot.before;
  slot.waits = false;
  slot.after = free_;
  free_ = number;
  --size_;
  if (--line.size == 0) close(line);
}

void FairQueue::close(Line& line) {
  if (turn_ == &line) turn_ = line.after == &line ? nullptr : line.after;
  line.before->after = line.after;
  line.after->before = line.before;
  lines_.erase(CallerId(line.caller));  // a copy: the line goes away
}

}  // namespace mcpfleet::routing
