// `kubectl mcp top`: reads MCPServers by a watch and their values in bulk, and draws the table.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "tools/kubectl-mcp/cluster.h"
#include "tools/kubectl-mcp/options.h"

namespace mcpfleet::kubectl {

// Once, or until the process is ended. The exit code; an error where the MCPServers cannot be read.
Result<int> run_top(const Options& options, const Cluster& cluster, const Clock& clock,
                    const std::function<std::string(const char*)>& environment);

}  // namespace mcpfleet::kubectl
