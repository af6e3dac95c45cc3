// Sentences for what the Scaler decided, as a person would say them. Pure, free functions.
//
// Made from numbers when somebody reads: deciding itself makes no text.
#pragma once

#include <string>
#include <string_view>

#include "fleet/status.h"
#include "scaling/policy.h"
#include "scaling/verdict.h"

namespace mcpfleet::scaling {

// "mcp_request_duration_seconds_p95" for Latency, else metric_name().
std::string metric_name(const Policy& policy, Signal signal);

// The whole decision in one sentence, with what clipped it: "mcp_requests_per_second 412 over 60s
// at 4 ready pods is 103 a pod, over the target of 50, so 4 → 9 replicas (but maxReplicas is 6)".
// `rules`: the last decision of the AutoScaler, whose message stands for its floor; may be null.
std::string explain(const Policy& policy, const Verdict& verdict,
                    const fleet::Decision* rules = nullptr);

// One proposal of it: "latency asks for 6: …".
std::string explain(const Policy& policy, const Verdict& verdict, const Proposal& proposal,
                    const fleet::Decision* rules = nullptr);

// What limits, for the condition ScalingLimited: "9 replicas are wanted, but maxReplicas is 6";
// "no number of pods can meet …". Empty: nothing.
std::string limitation(const Policy& policy, const Verdict& verdict);

// What is missing, for conditions: "mcp_requests_in_flight has no data for 75s (limit 60s): no pod
// answers; 4 replicas are held". Empty: nothing.
std::string missing_data(const Policy& policy, const Facts& facts, const Verdict& verdict);

}  // namespace mcpfleet::scaling
