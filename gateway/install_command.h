// `mcp-sidecar install`: puts this program where other containers of the pod find it.
#pragma once

#include <string>

#include "base/result.h"

namespace mcpfleet::sidecar {

// Copies the running program to `destination`, mode 0755; whoever looks sees the old file, none, or
// the whole new one. Error: Unavailable.
Result<void> install(const std::string& destination);

}  // namespace mcpfleet::sidecar
