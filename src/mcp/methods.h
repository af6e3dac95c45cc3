// The closed list of MCP's request methods, so that a client cannot invent metric labels.
#pragma once

#include <string_view>

namespace mcpfleet::mcp {

inline constexpr std::string_view kOtherMethod = "_other";

// `method` itself (a text that lives for ever) where MCP defines it as a request that a client
// sends, in any version up to 2026-07-28; else kOtherMethod.
std::string_view method_label(std::string_view method);

}  // namespace mcpfleet::mcp
