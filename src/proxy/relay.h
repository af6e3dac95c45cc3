// Passes one HTTP exchange on to a server, streaming, and watches the answers go by.
#pragma once

#include <string>
#include <string_view>

#include "proxy/call_stats.h"
#include "proxy/client_link.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

// Marks a request that a sidecar passed on to the session's owner, who then never passes it on
// again. A client that sends it gains nothing: it only turns that off for its own request.
inline constexpr std::string_view kForwardedField = "Mcpfleet-Forwarded";

struct RelayTarget {
  tcp::endpoint endpoint;
  bool peer = false;    // another pod's sidecar, not the server of this pod
  std::string pod;      // of a peer
  std::string session;  // the Mcp-Session-Id to send; empty: none
  std::string sealed;   // what the client calls this session; empty: none
};

// Answers the client in every case. `calls` (of this pod's server; may be null) are ended as their
// answers go by. The request is sent twice only where it is a GET, HEAD or OPTIONS and a connection
// from the pool was closed before a byte of the response.
Task<> relay(Runtime& runtime, ClientLink& client, RelayTarget target, OpenCalls* calls);

}  // namespace mcpfleet::proxy
