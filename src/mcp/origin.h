// Which pages a browser may let talk to an MCP server.
//
// Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
// (security): a server must look at Origin, so that no page reaches it by DNS rebinding. Thread
// safety: plain functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mcpfleet::mcp {

// Whether `origin`, the value of that header field, is an address of the loopback or one of
// `allowed`: "https://app.example.com", with its port where it is not the scheme's own; "*" allows
// anything.
bool origin_allowed(std::string_view origin, std::span<const std::string> allowed);

}  // namespace mcpfleet::mcp
