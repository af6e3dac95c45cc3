#include "proxy/waiting_room.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace mcpfleet::proxy {
namespace {

std::uint64_t key_of(routing::Ticket ticket) {
  return static_cast<std::uint64_t>(ticket.life) << 32 | ticket.slot;
}

}  // namespace

Task<Waiter::End> Waiter::wait(MonotonicTime deadline) {
  timer_.expires_at(deadline);
  error_code ec;
  co_await timer_.async_wait(caught(ec));
  co_return end_;
}

void Waiter::wake(End how) {
  // One who was admitted has a place, also when its client goes away before it hears of it.
  if (end_ == End::Late) end_ = how;
  timer_.cancel();
}

class WaitingRoom::Registered {
 public:
  Registered(WaitingRoom& room, routing::Ticket ticket, Waiter& waiter)
      : room_(room), key_(key_of(ticket)) {
    room_.waiters_.emplace(key_, &waiter);
  }
  ~Registered() { room_.waiters_.erase(key_); }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;

 private:
  WaitingRoom& room_;
  const std::uint64_t key_;
};

Task<WaitingRoom::Outcome> WaitingRoom::enter(ClientLink& client, routing::CallerId caller,
                                              MonotonicTime now, MonotonicTime deadline) {
  auto asked = admission_.ask(caller, now);
  if (auto* const refusal = std::get_if<routing::Refusal>(&asked))
    co_return Outcome{.refusal = std::move(*refusal)};
  const auto* const waiting = std::get_if<routing::Waiting>(&asked);
  if (waiting == nullptr) co_return Outcome{.admitted = true};
  if (waiting->displaced) {
    const auto found = waiters_.find(key_of(*waiting->displaced));
    if (found != waiters_.end()) found->second->wake(Waiter::End::Displaced);
  }
  Waiter waiter(io_);
  const Registered registered(*this, waiting->ticket, waiter);
  client.start_watching([&waiter] { waiter.wake(Waiter::End::Late); });
  const auto end = co_await waiter.wait(std::min(waiting->deadline, deadline));
  client.stop_watching();
  if (end == Waiter::End::Admitted) co_return Outcome{.admitted = true};
  if (end == Waiter::End::Displaced) co_return Outcome{.refusal = admission_.displaced()};
  if (!client.gone()) co_return Outcome{.refusal = admission_.give_up(waiting->ticket)};
  admission_.cancel(waiting->ticket);
  co_return Outcome{};
}

void WaitingRoom::leave(MonotonicTime now) {
  admission_.done(now);
  admit(now);
}

void WaitingRoom::admit(MonotonicTime now) {
  while (const auto ticket = admission_.next(now)) {
    const auto found = waiters_.find(key_of(*ticket));
    if (found != waiters_.end()) {
      found->second->wake(Waiter::End::Admitted);
    } else {
      admission_.done(now);  // nobody is there to use the place
    }
  }
}

}  // namespace mcpfleet::proxy
