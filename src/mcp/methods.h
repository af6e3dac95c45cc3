// The closed list of MCP's request methods, so that a client cannot invent metric labels.
#pragma once

#include <string_view>

namespace mcpfleet::mcp {

inline constexpr std::string_view kOtherMethod = "_other";

// `method` itself (a text that lives for ever) where MCP defines it as a request that a client
// sends, in any version up to 2026-07-28; else kOtherMethod.
std::string_view method_label(std::string_view method);

// Whether it opens a stream that lasts until somebody closes it: no request in the sense of rates
// and durations.
bool is_subscription(std::string_view method);

// Whether clients try it to learn what a server can: an older one refuses, and nothing is wrong.
bool may_be_refused(std::string_view method);

}  // namespace mcpfleet::mcp
