// What a gateway must know of a client's request before it can decide where it goes.
//
// Thread safety: a plain value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "mcp/message_scanner.h"
#include "proxy/client_link.h"

namespace mcpfleet::proxy {

struct GatewayRequest {
  std::vector<mcp::Message> messages;  // of a POST
  std::string session;   // Mcp-Session-Id; empty: none, or of a version that has no sessions
  bool calls = false;    // it holds requests that end: it counts for limits and in statistics
  bool listens = false;  // it opens a stream to listen, which ends when somebody wants
  bool starts_session = false;
  bool safe = false;  // to send twice changes nothing
};

// Error: Malformed, one sentence: the body of a POST is no JSON-RPC message.
Result<GatewayRequest> read_request(const ClientLink& client);

}  // namespace mcpfleet::proxy
