// HTTP header fields of MCP's Streamable HTTP transport. Names compare without regard to case.
#pragma once

#include <string_view>

namespace mcpfleet::mcp {

inline constexpr std::string_view kSessionId = "Mcp-Session-Id";
inline constexpr std::string_view kProtocolVersion = "MCP-Protocol-Version";
inline constexpr std::string_view kMethod = "Mcp-Method";
inline constexpr std::string_view kName = "Mcp-Name";
inline constexpr std::string_view kLastEventId = "Last-Event-ID";
inline constexpr std::string_view kEventStream = "text/event-stream";
inline constexpr std::string_view kJson = "application/json";

// The first protocol version whose clients understand an event without data, which begins a stream.
inline constexpr std::string_view kPrimingVersion = "2025-11-25";

// The first protocol version without handshake and sessions.
inline constexpr std::string_view kStatelessVersion = "2026-07-28";

}  // namespace mcpfleet::mcp
