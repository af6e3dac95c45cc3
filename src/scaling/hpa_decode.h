// Reads a HorizontalPodAutoscaler's spec (autoscaling/v2) from JSON, with the API server's
// defaults.
//
// Pure; thread safety: free functions without state.
#pragma once

#include <string_view>

#include "base/result.h"
#include "scaling/hpa_spec.h"

namespace mcpfleet::scaling {

// `json` is the text of `spec`; what is no part of the arithmetic (the scale's target, selectors of
// metrics) is passed over. A tolerance finer than a thousandth is rounded up to one. Errors:
// TooLarge and Malformed, of the text; Invalid, naming the field.
Result<HpaSpec> decode_hpa(std::string_view json);

// The same of `spec.behavior` alone, as an MCPServer has it.
Result<HpaBehavior> decode_hpa_behavior(std::string_view json);

}  // namespace mcpfleet::scaling
