// What we keep of one scrape of one pod.
//
// Thread safety: plain values and free functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/exposition_parser.h"
#include "metrics/histogram.h"

namespace mcpfleet::metrics {

// The counters of one kind of request since the pod's process started.
struct CallCounters {
  std::string method;  // "tools/call", …
  std::string tool;    // empty unless tools/call
  double requests = 0;
  double errors = 0;
  Histogram durations;
  // Of a pod that tells averages over a time of its own instead of counters: the mean duration in
  // seconds and errors over requests. `errors` and `durations` are then empty.
  std::optional<double> told_mean;
  std::optional<double> told_error_ratio;
};

struct Sample {
  bool has_mcp = true;  // any metric of ours was in it
  // Gauges; absent where the pod does not expose them.
  std::optional<double> in_flight;
  std::optional<double> sessions;
  bool draining = false;
  std::optional<double> age;  // in seconds, of counters that are those of an earlier time
  // Unix time in seconds of the pod's own clock.
  std::optional<double> process_start;
  std::vector<CallCounters> calls;  // ordered by method, then tool
};

// Kinds of requests that one pod may have. A sidecar keeps far fewer (its tools and methods are
// bounded).
inline constexpr std::size_t kMaxKinds = 512;

// Reads a pod's exposition. Series of other names are read over. A duration bucket whose bound is
// not one of ours is counted in our next larger one. `also` is shown every series, whatever its
// name. Errors: as parse_exposition(); Malformed also for a counter that is negative, NaN or
// infinite, and for buckets that fall or are not in order; TooLarge for more than kMaxKinds kinds
// of requests.
Result<Sample> read_sample(std::string_view exposition, const ExpositionLimits& limits,
                           const std::function<void(const SeriesView&)>& also = nullptr);

}  // namespace mcpfleet::metrics
