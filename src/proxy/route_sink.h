// What those who learn of servers and their pods tell a gateway.
#pragma once

#include <string>
#include <vector>

#include "routing/endpoints.h"
#include "routing/server.h"

namespace mcpfleet::proxy {

struct ServerRoute {
  routing::ServerName name;
  std::string path = "/mcp";  // of MCP at the pods
  routing::ServerSettings settings;
  bool operator==(const ServerRoute&) const = default;
};

// How a source of routes does.
struct SourceState {
  bool complete = false;  // it has told all that there is, once at least
  std::string problem;    // why it cannot tell what is new; empty: it can
  bool operator==(const SourceState&) const = default;
};

// Thread safety: from any thread. What one thread tells takes effect in that order.
class RouteSink {
 public:
  virtual ~RouteSink() = default;
  // A server is served, or has other settings.
  virtual void set_server(ServerRoute route) = 0;
  virtual void remove_server(const routing::ServerName& name) = 0;
  // A slice of its endpoints, by the slice's own name; it may come before the server.
  virtual void set_slice(const routing::ServerName& server, std::string slice,
                         std::vector<routing::Endpoint> endpoints) = 0;
  virtual void remove_slice(const routing::ServerName& server, std::string slice) = 0;
  virtual void set_source(SourceState state) = 0;
  // See GatewayOptions::access_log_sample.
  virtual void set_access_log_sample(int sample) = 0;
};

}  // namespace mcpfleet::proxy
