// From spec.autoscaling to what deciding reads each second.
//
// Pure. Thread safety: free functions without state.
#pragma once

#include "fleet/mcp_server.h"
#include "scaling/policy.h"

namespace mcpfleet::scaling {

// `autoscaling` must have come from fleet::decode(). With the actuator Operator bursts are followed
// even where spec.autoscaling.panic is not given; in mode DryRun the policy is what the operator
// would do, whoever the actuator is, since nobody else says what it would do.
Policy policy_of(const fleet::Autoscaling& autoscaling);

// As spec.autoscaling.behavior: with Kubernetes' own defaults for what is left out.
Behavior behavior_of(const fleet::RawJson& behavior);

}  // namespace mcpfleet::scaling
