#include "proxy/message_queue.h"

namespace mcpfleet::proxy {

void MessageQueue::push(Item item) {
  if (closed_) return;
  item.number = ++last_;
  bytes_ += item.text.size();
  items_.push_back(std::move(item));
  if (kept_) forget();
  filled_.cancel();
}

void MessageQueue::close() {
  closed_ = true;
  filled_.cancel();
  emptied_.cancel();
}

std::optional<MessageQueue::Item> MessageQueue::pop() {
  if (!filled()) return std::nullopt;
  Item item;
  if (kept_) {
    item = items_[next_++];
    kept_bytes_ += item.text.size();
  } else {
    item = std::move(items_.front());
    items_.pop_front();
  }
  bytes_ -= item.text.size();
  taken_ = item.number;
  if (item.answer) --owed_;
  if (kept_) forget();
  if (!full()) emptied_.cancel();
  return item;
}

// What waits for a client that is there is never dropped: the bound on that is full().
void MessageQueue::forget() {
  while (exceeds() && (next_ > 0 || left())) {
    const auto& oldest = items_.front();
    if (next_ > 0) {
      --next_;
      kept_bytes_ -= oldest.text.size();
    } else {
      bytes_ -= oldest.text.size();
      taken_ = oldest.number;
      if (oldest.answer) --owed_;
    }
    items_.pop_front();
  }
}

bool MessageQueue::rewind(std::uint64_t number) {
  const auto oldest = items_.empty() ? last_ + 1 : items_.front().number;
  if (!kept_ || number > taken_ || number + 1 < oldest) return false;
  while (next_ > 0 && items_[next_ - 1].number > number) {
    const auto& again = items_[--next_];
    kept_bytes_ -= again.text.size();
    bytes_ += again.text.size();
    if (again.answer) ++owed_;
  }
  taken_ = number;
  return true;
}

std::uint64_t MessageQueue::attach() {
  reader_ = ++readers_;
  wake();
  return reader_;
}

void MessageQueue::leave() {
  reader_ = 0;
  forget();
  wake();
  emptied_.cancel();
}

void MessageQueue::wake() { filled_.cancel(); }

Task<> MessageQueue::wait_filled(MonotonicTime until) {
  if (filled() || closed_) co_return;
  error_code ignored;
  filled_.expires_at(until);
  co_await filled_.async_wait(caught(ignored));
}

Task<> MessageQueue::wait_room() {
  error_code ignored;
  while (full()) {
    emptied_.expires_at(Timer::time_point::max());
    co_await emptied_.async_wait(caught(ignored));
  }
}

}  // namespace mcpfleet::proxy
