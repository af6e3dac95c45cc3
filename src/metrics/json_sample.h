// Reads the JSON that MCPO-like servers answer at /metrics:
//   {"performance": {TOOL: {"total_requests", "avg_duration", "success_rate"}, …},
//    "concurrency": {"current_concurrent"}}
// with durations in seconds and rates in percent.
//
// Thread safety: free functions without state.
#pragma once

#include <string_view>

#include "base/result.h"
#include "metrics/exposition_parser.h"
#include "metrics/sample.h"

namespace mcpfleet::metrics {

// Whether a body is JSON rather than an exposition in text.
bool looks_like_json(std::string_view body);

// Each tool counts as calls of tools/call. The averages are the server's own, over a time of its
// own choice: told_mean and told_error_ratio. Other fields are read over. Errors: TooLarge by the
// limits of bytes, of kMaxKinds tools and of a tool's name; Malformed for broken JSON, for one
// nested deeper than such a text ever is, and for a number that is negative or no number, with its
// field.
Result<Sample> read_json_sample(std::string_view body, const ExpositionLimits& limits);

}  // namespace mcpfleet::metrics
