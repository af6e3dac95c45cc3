// From windows to values: what is a metric of a pod or of a server now, and if there is none, why.
//
// A missing or old value is an error in words for people, never a zero; idle is not missing.
// Thread safety: free functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/window.h"

namespace mcpfleet::metrics {

enum class Metric {
  RequestsPerSecond,
  DurationAvg,
  DurationP50,
  DurationP95,
  DurationP99,
  RequestsInFlight,
  ActiveSessions,
  ErrorRatio,
};
inline constexpr std::size_t kMetricCount = 8;

// The names under which the metrics API serves them, in the order of the enumeration.
std::span<const std::string_view> metric_names();
std::string_view to_string(Metric metric);
std::optional<Metric> parse_metric(std::string_view name);
// How the value over several pods comes about, in words.
std::string_view formula(Metric metric);

// Which requests count, by method and tool.
using KindFilter = std::function<bool(std::string_view method, std::string_view tool)>;

struct Query {
  Metric metric = Metric::RequestsPerSecond;
  KindFilter only;        // empty: all requests
  std::string only_text;  // the filter as its author wrote it, such as "tool=search"
};

struct Terms {
  Duration window = std::chrono::seconds(30);   // of rates and latencies
  Duration max_age = std::chrono::seconds(10);  // older scrapes give no value
  Duration hold{0};  // where it is longer, scrapes up to this age give a value all the same
  std::uint64_t min_samples = 5;  // requests in the window that a quantile needs
};

// What is known of a pod. The views live as long as the call.
struct PodState {
  std::string_view namespace_;
  std::string_view name;
  bool ready = false;
  bool deleting = false;
  std::optional<WallTime> ready_since;
  const PodView* view = nullptr;  // of the last successful scrape; null: there was none
  std::string_view failure;       // of the last scrape; empty: it succeeded, or there was none
  std::optional<MonotonicTime> failing_since;
};

struct Value {
  std::int64_t milli = 0;  // seconds for durations
  WallTime timestamp;      // of the oldest scrape that is in the value
  Duration window{0};      // what it covers; 0 for gauges
};

// Errors: NotFound, with the reason; Invalid where the metric is not kept by method and tool.
Result<Value> pod_value(const PodState& pod, const Query& query, const Terms& terms, Instant now);

// The value over all pods of `what`, such as "server a/b": sums of rates and gauges, quantiles and
// means of the merged histograms, errors over requests (0 when idle). `pods` are those that have
// not finished.
//
// Every pod that answers is counted, also unready and terminating ones (they still serve). A pod
// that does not answer is passed over only while it is unready, terminating, or ready for less than
// max_age and never scraped yet. Any other pod without fresh data makes the whole value an error
// that names it: a sum without it would look like less load and scale in during an outage.
Result<Value> server_value(std::string_view what, std::span<const PodState> pods,
                           const Query& query, const Terms& terms, Instant now);

// Whether server_value() reckons with the pod.
bool is_counted(const PodState& pod, Metric metric, const Terms& terms, Instant now);

// Whether the pod's last scrape is recent enough. Error: NotFound, with the reason.
Result<void> check_fresh(const PodState& pod, const Terms& terms, Instant now);

// "0.4s", "14s", "5m": ages as people say them.
std::string format_age(Duration age);

}  // namespace mcpfleet::metrics
