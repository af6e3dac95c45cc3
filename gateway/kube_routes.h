// Routes from the API server: MCPServers, the EndpointSlices of their Services, and the MCPGateway
// that says which of them are served.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/paths.h"
#include "proxy/route_sink.h"

namespace mcpfleet::gateway {

struct KubeRoutesOptions {
  // The MCPGateway. Absent: all servers of `namespaces` are served, with its defaults.
  std::optional<kube::Key> gateway;
  std::vector<std::string> namespaces;  // without a gateway; empty: all of the cluster
};

// Watches on threads of its own until destroyed. While the API server is away, what was known last
// goes on, and the sink is told why there is nothing new. Thread safety: construction and
// destruction from one thread.
class KubeRoutes {
 public:
  // `client` and `sink` outlive it.
  static std::unique_ptr<KubeRoutes> start(kube::Client& client, KubeRoutesOptions options,
                                           proxy::RouteSink& sink);
  virtual ~KubeRoutes() = default;
};

}  // namespace mcpfleet::gateway
