// What the HTTP transport of 2026-07-28 demands of a request whose body a server, or one who stands
// in for it, reads.
//
// Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
// (server validation) and /specification/2026-07-28/basic (request metadata). Thread safety: plain
// functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mcp/json_rpc.h"
#include "mcp/message_scanner.h"

namespace mcpfleet::mcp {

// The header fields that mirror the body; nothing where a field is missing.
struct MirrorFields {
  std::optional<std::string_view> protocol_version;  // MCP-Protocol-Version
  std::optional<std::string_view> method;            // Mcp-Method
  std::optional<std::string_view> name;              // Mcp-Name
};

// Whether a request without a session is meant for a server of 2026-07-28 or later, by any of what
// only such requests have.
bool is_modern(const Message& request, const MirrorFields& fields);

struct Refusal {
  ErrorCode code;
  std::string text;  // one sentence that names the field
};

// Why a request must be answered with HTTP 400; nothing where it is as it should be.
std::optional<Refusal> refuse_modern(const Message& request, const MirrorFields& fields);

// A value as Mcp-Name and Mcp-Param-* carry it: itself where it is plain, else base64 in marks.
std::string header_value(std::string_view value);

// The HTTP status of the answer to a modern request; `error_code` of a JSON-RPC error, 0 of a
// result.
int status_of_modern(int error_code);

}  // namespace mcpfleet::mcp
