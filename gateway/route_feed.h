// From Kubernetes' objects to routes: which servers a gateway serves, by what settings, and where
// their pods are.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "fleet/mcp_gateway.h"
#include "fleet/mcp_server.h"
#include "gateway/endpoint_slice.h"
#include "proxy/route_sink.h"

namespace mcpfleet::gateway {

// Tells `sink` what changed, when it is told what changed. Thread safety: from any thread.
class RouteFeed {
 public:
  // `sink` outlives this. `for_gateway`: an MCPGateway says which servers are served, so that none
  // is until it is known; else all of them are, with its defaults.
  RouteFeed(proxy::RouteSink& sink, bool for_gateway);

  // Null: it does not exist (any more); what it said last goes on.
  void set_gateway(std::shared_ptr<const fleet::MCPGateway> gateway);
  void set_server(std::shared_ptr<const fleet::MCPServer> server);
  void remove_server(const std::string& key);  // "namespace/name"
  void set_slice(const EndpointSlice& slice);
  void remove_slice(const std::string& key);

 private:
  struct Entry {
    std::shared_ptr<const fleet::MCPServer> server;
    std::optional<proxy::ServerRoute> told;
  };

  void tell(Entry& entry);

  proxy::RouteSink& sink_;
  // Protected by mutex_, which is held while the sink is told, so that it is told in order.
  std::mutex mutex_;
  std::shared_ptr<const fleet::MCPGateway> gateway_;  // null: nothing is served
  std::map<std::string, Entry> servers_;
  std::map<std::string, std::string> slices_;  // by key: the server's name
};

// What follows for a server; nullopt: it is not served.
std::optional<proxy::ServerRoute> route_of(const fleet::MCPGateway& gateway,
                                           const fleet::MCPServer& server);

}  // namespace mcpfleet::gateway
