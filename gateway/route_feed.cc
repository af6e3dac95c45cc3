#include "gateway/route_feed.h"

#include "kube/paths.h"

namespace mcpfleet::gateway {

std::optional<proxy::ServerRoute> route_of(const fleet::MCPGateway& gateway,
                                           const fleet::MCPServer& server) {
  if (!fleet::serves(gateway, server)) return std::nullopt;
  proxy::ServerRoute route;
  route.name = {server.namespace_, server.name};
  route.path = server.config.path;
  route.settings.traffic = fleet::settings_for(gateway.traffic, server.proxy);
  route.settings.max_sessions_per_pod = static_cast<std::uint32_t>(server.sessions.max_per_replica);
  route.settings.session_idle = server.sessions.idle_timeout;
  return route;
}

RouteFeed::RouteFeed(proxy::RouteSink& sink, bool for_gateway) : sink_(sink) {
  if (for_gateway) return;
  fleet::MCPGateway every;
  every.namespaces_from = fleet::NamespacesFrom::All;
  gateway_ = std::make_shared<const fleet::MCPGateway>(std::move(every));
}

void RouteFeed::set_gateway(std::shared_ptr<const fleet::MCPGateway> gateway) {
  if (gateway == nullptr) return;
  const std::lock_guard lock(mutex_);
  gateway_ = std::move(gateway);
  sink_.set_access_log_sample(gateway_->access_log_sample);
  for (auto& [key, entry] : servers_) tell(entry);
}

void RouteFeed::set_server(std::shared_ptr<const fleet::MCPServer> server) {
  const std::lock_guard lock(mutex_);
  auto& entry = servers_[fleet::key(*server)];
  entry.server = std::move(server);
  tell(entry);
}

void RouteFeed::remove_server(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(key);
  if (found == servers_.end()) return;
  if (found->second.told) sink_.remove_server(found->second.told->name);
  servers_.erase(found);
}

// Most changes of a server are of its status, and change no route.
void RouteFeed::tell(Entry& entry) {
  auto route = gateway_ ? route_of(*gateway_, *entry.server) : std::nullopt;
  if (route == entry.told) return;
  if (route) {
    sink_.set_server(*route);
  } else {
    sink_.remove_server(entry.told->name);
  }
  entry.told = std::move(route);
}

void RouteFeed::set_slice(const EndpointSlice& slice) {
  const auto key = kube::make_key(slice.namespace_, slice.name);
  const std::lock_guard lock(mutex_);
  auto& server = slices_[key];
  if (!server.empty() && server != slice.server)
    sink_.remove_slice({slice.namespace_, server}, slice.name);
  server = slice.server;
  if (!server.empty()) sink_.set_slice({slice.namespace_, server}, slice.name, slice.endpoints);
}

void RouteFeed::remove_slice(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = slices_.find(key);
  if (found == slices_.end()) return;
  const auto [ns, name] = kube::split_key(key);
  if (!found->second.empty()) sink_.remove_slice({ns, found->second}, name);
  slices_.erase(found);
}

}  // namespace mcpfleet::gateway
