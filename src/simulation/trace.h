// A trace: how many calls come in each second.
//
// Read from CSV with the columns second,requests, or from the history of mcp_requests_per_second
// that a metrics adapter remembers. Pure. Thread safety: plain values and free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::simulation {

struct Trace {
  std::string name;
  std::vector<double> arrivals;  // calls, one a second from second 0 on
};

inline constexpr int kMaxTraceSeconds = 7 * 24 * 3600;
inline constexpr double kMaxArrivals = 1e7;  // calls a second

// `file` is its name for the errors. Seconds must rise; those that are left out have no calls.
// Error: Invalid, "trace.csv:7: requests must be a number from 0 to 10000000, not \"x\"".
Result<Trace> parse_csv(std::string_view text, const std::string& file);

// An answer of …/history/…/mcp_requests_per_second: a sample is the rate until the next one. A gap
// has no calls, for the adapter has no sample where there was nothing to measure.
// Error: Invalid, a sentence that begins with the file.
Result<Trace> parse_history(std::string_view text, const std::string& file);

// Each second `factor` times as many calls.
void scale(Trace& trace, double factor);

// For traces whose clock ticks only every `seconds` (≥ 1): the calls of each tick, evenly over the
// seconds until the next one.
void spread(Trace& trace, int seconds);

}  // namespace mcpfleet::simulation
