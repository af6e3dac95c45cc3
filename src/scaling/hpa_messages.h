// The sentences of the HPA controller. Internal to scaling. Pure, free functions.
#pragma once

#include "scaling/hpa_spec.h"

namespace mcpfleet::scaling {

// Sentences that end with what they are about.
inline constexpr const char* kCounted =
    "the HPA was able to successfully calculate a replica count from ";
inline constexpr const char* kNoCount = "the HPA was unable to compute the replica count: ";
inline constexpr const char* kRescaled =
    "the HPA controller was able to update the target scale to ";

// The reason of ScalingActive where `metric` has no answer: "FailedGetResourceMetric".
const char* failure_reason(const HpaMetric& metric);

}  // namespace mcpfleet::scaling
