// The event `endpoint` of the old HTTP+SSE transport: where a client posts its messages.
//
// Source: https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse.
// Thread safety: plain functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::mcp {

inline constexpr std::size_t kMaxEndpoint = 4096;

// The request target ("/messages?session_id=1") that an endpoint event names by `uri`, absolute or
// relative to `path`, which was asked at `host` ("127.0.0.1:8000"). Error: Invalid, to follow "sent
// an endpoint event that": it is of another origin, so that messages would leave the server; or it
// is no URI.
Result<std::string> endpoint_target(std::string_view uri, std::string_view host,
                                    std::string_view path);

}  // namespace mcpfleet::mcp
