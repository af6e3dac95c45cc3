#include "fleet/gateway_settings.h"

#include <utility>

namespace mcpfleet::fleet {
namespace {

template <typename T>
void replace(T& value, const std::optional<T>& by) {
  if (by) value = *by;
}

}  // namespace

TrafficSettings settings_for(TrafficSettings of_gateway, const ProxyOverride& of_server) {
  TrafficSettings result = std::move(of_gateway);
  replace(result.load_balancing, of_server.load_balancing);
  replace(result.timeouts.connect, of_server.timeouts.connect);
  replace(result.timeouts.call, of_server.timeouts.call);
  replace(result.timeouts.write, of_server.timeouts.write);
  replace(result.timeouts.read, of_server.timeouts.read);
  replace(result.timeouts.idle, of_server.timeouts.idle);
  replace(result.limits.max_in_flight, of_server.limits.max_in_flight);
  replace(result.limits.max_sessions, of_server.limits.max_sessions);
  replace(result.limits.max_queue, of_server.limits.max_queue);
  replace(result.limits.queue_timeout, of_server.limits.queue_timeout);
  replace(result.limits.rates, of_server.limits.rates);
  auto& pool = result.connection_pool;
  replace(pool.min_connections, of_server.connection_pool.min_connections);
  replace(pool.max_connections, of_server.connection_pool.max_connections);
  replace(pool.acquire_timeout, of_server.connection_pool.acquire_timeout);
  replace(pool.health_interval, of_server.connection_pool.health_interval);
  return result;
}

}  // namespace mcpfleet::fleet
