// JSON-RPC errors that a proxy answers by itself.
#pragma once

#include <string>
#include <string_view>

namespace mcpfleet::mcp {

// Codes of JSON-RPC 2.0 and of MCP.
enum class ErrorCode {
  ParseError = -32700,
  InvalidRequest = -32600,
  MethodNotFound = -32601,
  InvalidParams = -32602,
  InternalError = -32603,
  ServerError = -32000,         // the server is not there, or broke off, or is busy
  SessionNotFound = -32001,     // what MCP's SDKs say with HTTP 404
  HeaderMismatch = -32020,      // 2026-07-28, as those below
  MissingCapability = -32021,   // MissingRequiredClientCapabilityError
  UnsupportedVersion = -32022,  // UnsupportedProtocolVersionError
};

// One error response. `id` is raw JSON; empty means null.
std::string error_text(std::string_view id, ErrorCode code, std::string_view message);

// The answer of a server that speaks only versions with a handshake to a request of a later one;
// `requested` is what the client asked for.
std::string unsupported_version_text(std::string_view id, std::string_view requested);

// The result of subscriptions/listen, which tells its client that the stream ends as it should.
std::string subscription_end_text(std::string_view id);

}  // namespace mcpfleet::mcp
