#include "proxy/gateway_server.h"

namespace mcpfleet::proxy {
namespace {

tcp::endpoint endpoint_of(const routing::Pod& pod) {
  error_code invalid;  // then nobody can be reached there
  return {asio::ip::make_address(pod.endpoint.address, invalid), pod.endpoint.port};
}

}  // namespace

std::uint64_t pool_key(routing::PodId pod) {
  return static_cast<std::uint64_t>(pod.life) << 32 | pod.slot;
}

std::shared_ptr<PodPool> GatewayServer::pool_of(const routing::Pod& pod) {
  auto& pool = pools[pool_key(pod.id)];
  if (pool == nullptr || pool->endpoint() != endpoint_of(pod))
    pool = std::make_shared<PodPool>(io, endpoint_of(pod), routing->settings().traffic);
  return pool;
}

void GatewayServer::follow(MonotonicTime now) {
  auto before = std::exchange(pools, {});
  routing->pods.each([&](routing::PodId id, const routing::Pod& pod) {
    const auto found = before.find(pool_key(id));
    if (found != before.end()) pools.insert(before.extract(found));
    pool_of(pod);
  });
  for (const auto& [key, pool] : pools) pool->change(routing->settings().traffic, now);
}

void GatewayServer::tick(MonotonicTime now) {
  routing->pods.each([&](routing::PodId, const routing::Pod& pod) {
    pool_of(pod)->tick(pod.endpoint.ready && pod.up(now), now);
  });
}

std::size_t GatewayServer::waiting() const {
  std::size_t count = routing->admission.queued();
  for (const auto& [key, pool] : pools) count += pool->waiting();
  return count;
}

void GatewayServer::observe(Phase phase, Duration took) {
  phases[static_cast<std::size_t>(phase)].observe(std::chrono::duration<double>(took).count());
}

}  // namespace mcpfleet::proxy
