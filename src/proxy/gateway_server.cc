#include "proxy/gateway_server.h"

namespace mcpfleet::proxy {

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

std::uint64_t key_of(routing::Ticket ticket) {
  return static_cast<std::uint64_t>(ticket.life) << 32 | ticket.slot;
}

void GatewayServer::admit_waiting(MonotonicTime now) {
  while (const auto ticket = routing->admission.next(now)) {
    const auto found = waiters.find(key_of(*ticket));
    if (found != waiters.end()) {
      found->second->wake(Waiter::End::Admitted);
    } else {
      routing->admission.done(now);  // nobody is there to use the place
    }
  }
}

void GatewayServer::displace(routing::Ticket ticket) {
  const auto found = waiters.find(key_of(ticket));
  if (found != waiters.end()) found->second->wake(Waiter::End::Displaced);
}

void GatewayServer::observe(Phase phase, Duration took) {
  phases[static_cast<std::size_t>(phase)].observe(std::chrono::duration<double>(took).count());
}

}  // namespace mcpfleet::proxy
