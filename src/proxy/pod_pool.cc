#include "proxy/pod_pool.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <ranges>

namespace mcpfleet::proxy {

PodPool::PodPool(asio::io_context& io, tcp::endpoint endpoint,
                 const fleet::TrafficSettings& settings)
    : UpstreamPool(io, std::move(endpoint), Duration::max()),
      io_(io),
      rules_(settings),
      room_(io, rules_.calls),
      connect_timeout_(settings.timeouts.connect) {}

void PodPool::change(const fleet::TrafficSettings& settings, MonotonicTime now) {
  connect_timeout_ = settings.timeouts.connect;
  rules_.change(settings);
  room_.admit(now);
}

void PodPool::tick(bool ready, MonotonicTime now) {
  std::vector<routing::IdleConnection> idle;
  for (const auto& one : idle_) idle.push_back({one->idle_since, one->carried_some});
  const auto work = rules_.upkeep(idle, ready, now);
  for (const std::size_t at : std::ranges::reverse_view(work.close)) {
    const auto position = idle_.begin() + static_cast<std::ptrdiff_t>(at);
    drop(std::move(*position), Closed::Idle);
    idle_.erase(position);
  }
  if (work.look) look();
  for (std::size_t i = 0; i < work.open; ++i)
    asio::co_spawn(io_, open_ahead(shared_from_this()), asio::detached);
}

Task<> PodPool::open_ahead(std::shared_ptr<PodPool> pool) {
  auto connection = pool->make();
  // The timer may have fired already when the connection is there.
  const auto late = std::make_shared<Socket*>(&connection->socket);
  Timer timer(pool->io_);
  timer.expires_after(pool->connect_timeout_);
  timer.async_wait([late](const error_code& cancelled) {
    error_code ignored;
    if (!cancelled && *late != nullptr) (*late)->close(ignored);
  });
  error_code failed;
  co_await connection->socket.async_connect(pool->endpoint(), caught(failed));
  *late = nullptr;
  timer.cancel();
  const auto now = pool->clock_.monotonic();
  pool->rules_.opened(!failed, now);
  if (failed) {
    pool->drop(std::move(connection), Closed::Unconnected);
    co_return;
  }
  connection->tune();
  pool->give(std::move(connection), now);
}

PodPool::Lease::~Lease() {
  if (kind_ == Kind::Beside) --pool_->beside_;
  if (kind_ == Kind::Call) pool_->room_.leave(pool_->clock_.monotonic());
}

Task<std::optional<routing::Refusal>> PodPool::Lease::acquire(ClientLink& client,
                                                              routing::CallerId caller,
                                                              MonotonicTime deadline) {
  auto got = co_await pool_->room_.enter(client, caller, pool_->clock_.monotonic(), deadline);
  if (got.admitted) {
    kind_ = Kind::Call;
    ++pool_->acquired_;
  } else if (got.refusal && got.refusal->limit == routing::Limit::ConnectionTime) {
    ++pool_->timeouts_;
  }
  co_return std::move(got.refusal);
}

void PodPool::Lease::acquire_beside() {
  kind_ = Kind::Beside;
  ++pool_->beside_;
}

}  // namespace mcpfleet::proxy
