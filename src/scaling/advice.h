// What spec.autoscaling asks for that cannot be meant, though each field is valid by itself.
//
// Pure. Thread safety: free functions without state.
#pragma once

#include <string>
#include <vector>

#include "fleet/mcp_server.h"

namespace mcpfleet::scaling {

// A sentence each, for the condition ScalingActive: rules that contradict each other and which of
// them counts, a cooldown that is over before the next sample, what problems() finds in the policy.
// Deciding survives all of it.
std::vector<std::string> advice(const fleet::Autoscaling& autoscaling);

}  // namespace mcpfleet::scaling
