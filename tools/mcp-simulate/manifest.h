// An MCPServer from a file that its author wrote: YAML or JSON. Thread safety: free functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::tools {

// What is simulated without a manifest.
extern const std::string_view kDefaultManifest;

// The first MCPServer of a file, whose `name` is for the errors; other objects in it are passed
// over. Error: Invalid, one sentence that begins with the file, and with the line where it is no
// YAML.
Result<fleet::MCPServer> parse_manifest(std::string_view text, const std::string& name);

}  // namespace mcpfleet::tools
