#include "routing/connection_pool.h"

#include <algorithm>

namespace mcpfleet::routing {
namespace {

fleet::Limits limits_of(const fleet::TrafficSettings& settings) {
  fleet::Limits limits;
  limits.max_in_flight = settings.connection_pool.max_connections;
  limits.max_queue = settings.limits.max_queue;
  limits.queue_timeout = settings.connection_pool.acquire_timeout;
  return limits;
}

}  // namespace

ConnectionPool::ConnectionPool(const fleet::TrafficSettings& settings)
    : calls(limits_of(settings), Limit::Connections, Limit::ConnectionTime),
      settings_(settings.connection_pool),
      idle_(settings.timeouts.idle) {}

void ConnectionPool::change(const fleet::TrafficSettings& settings) {
  settings_ = settings.connection_pool;
  idle_ = settings.timeouts.idle;
  calls.change(limits_of(settings));
}

std::size_t ConnectionPool::most() const {
  return static_cast<std::size_t>(std::max(0, settings_.max_connections));
}

// A server's own maximum may be below its gateway's minimum.
std::size_t ConnectionPool::least() const {
  return std::min(most(), static_cast<std::size_t>(std::max(0, settings_.min_connections)));
}

bool ConnectionPool::may_keep(std::size_t idle) const {
  return idle + calls.in_flight() <= most() && idle < std::max(kMostIdle, least());
}

bool ConnectionPool::is_old(const IdleConnection& one, MonotonicTime now) const {
  return now - one.since >= (one.carried_some ? idle_ : std::min(idle_, kUnproven));
}

ConnectionPool::Upkeep ConnectionPool::upkeep(std::span<const IdleConnection> idle, bool ready,
                                              MonotonicTime now) {
  Upkeep work;
  std::size_t open = idle.size() + calls.in_flight();
  for (std::size_t i = 0; i < idle.size(); ++i) {
    const bool unneeded = open > least() || !idle[i].carried_some;
    if (open <= most() && !(is_old(idle[i], now) && unneeded)) continue;
    work.close.push_back(i);
    --open;
  }
  if (ready && now >= next_open_ && open + opening_ < least()) {
    work.open = least() - open - opening_;
    opening_ += work.open;
  }
  work.look = now >= next_look_;
  if (work.look) next_look_ = now + settings_.health_interval;
  return work;
}

void ConnectionPool::opened(bool success, MonotonicTime now) {
  if (opening_ > 0) --opening_;
  if (!success) next_open_ = now + settings_.health_interval;
}

}  // namespace mcpfleet::routing
