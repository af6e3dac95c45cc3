// The statistics of calls as JSON, for /metrics.json.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "proxy/call_stats.h"

namespace mcpfleet::proxy {

// {"requests", "errors", "meanSeconds", "p50Seconds", "p95Seconds", "p99Seconds", "calls": […]}: of
// all requests that ended, and in "calls" the same of each "method" and "tool" (empty: no tool).
// Seconds are null where nothing has ended yet.
nlohmann::ordered_json call_report(const CallStats& stats);

}  // namespace mcpfleet::proxy
