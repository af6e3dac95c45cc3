#include "proxy/gateway_plane.h"

#include "log/log.h"

namespace mcpfleet::proxy {
namespace {

std::string key_of(const routing::ServerName& name) { return name.ns + "/" + name.name; }

void log_changes(const routing::ServerName& server, const routing::PodSet::Changes& changes) {
  if (changes.added.empty() && changes.removed.empty()) return;
  log::info("pods changed", {{"server", key_of(server)},
                             {"added", changes.added.size()},
                             {"removed", changes.removed.size()}});
}

}  // namespace

void GatewayPlane::set_server(const ServerRoute& route) {
  routes.set_server(route.name, route.settings, now());
  auto& server = servers[key_of(route.name)];
  if (server == nullptr) server = std::make_shared<GatewayServer>(io, routes.get(route.name));
  server->path = route.path;
  server->room.admit(now());
  server->follow(now());
}

void GatewayPlane::remove_server(const routing::ServerName& name) {
  routes.remove_server(name);
  servers.erase(key_of(name));
}

void GatewayPlane::set_slice(const routing::ServerName& server, std::string_view slice,
                             std::vector<routing::Endpoint> endpoints) {
  log_changes(server, routes.set_slice(server, slice, std::move(endpoints), now()));
  follow_pods(server);
}

void GatewayPlane::remove_slice(const routing::ServerName& server, std::string_view slice) {
  log_changes(server, routes.remove_slice(server, slice, now()));
  follow_pods(server);
}

void GatewayPlane::follow_pods(const routing::ServerName& name) {
  if (const auto server = find(key_of(name))) server->follow(now());
}

void GatewayPlane::keep_connections() {
  for (const auto& [key, server] : servers) server->tick(now());
}

void GatewayPlane::close_connections() {
  for (const auto& [key, server] : servers) server->pools.clear();
}

std::shared_ptr<GatewayServer> GatewayPlane::find(std::string_view key) const {
  const auto found = servers.find(key);
  return found == servers.end() ? nullptr : found->second;
}

}  // namespace mcpfleet::proxy
