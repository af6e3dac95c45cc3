// The conditions of an MCPServer that are not well. Pure.
#pragma once

#include <vector>

#include "fleet/status.h"

namespace mcpfleet::kubectl {

// Those that somebody should read, in their order in the status: what is False or Unknown and
// should be True, a limit that acts, a rollout that is stuck. That nothing is to be scaled
// (NotConfigured, DryRun, Paused) is no trouble.
std::vector<fleet::Condition> troubles(const fleet::Status& status);

}  // namespace mcpfleet::kubectl
