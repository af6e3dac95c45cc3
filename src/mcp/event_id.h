// The ids of server-sent events by which a client continues a stream that broke off.
//
// Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports (resumability
// and redelivery). Thread safety: plain values and functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mcpfleet::mcp {

// Which event of which stream of its session: "STREAM-NUMBER". The number 0 is before the first.
struct EventId {
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
  bool operator==(const EventId&) const = default;
};

std::string event_id_text(const EventId& id);

// Nothing: it is none of ours.
std::optional<EventId> parse_event_id(std::string_view text);

}  // namespace mcpfleet::mcp
