// From Prometheus' samples to the values of objects: whose they are, and whether they are good.
// Pure. Thread safety: free functions without state.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics-adapter/prometheus/prometheus_answer.h"
#include "metrics/answer.h"

namespace mcpfleet::adapter::promql {

// How old a sample may be, and from when.
struct Freshness {
  Duration max_age{0};
  WallTime now;
};

// A sample as a value of the metrics API, with its own time. Error: NotFound where it is NaN,
// infinite or too old: a reader would take it for zero, or for news.
Result<metrics::Value> to_value(const Sample& sample, const Freshness& freshness);

struct ObjectValue {
  std::string name;
  metrics::Value value;
};

// Of `names` those that have a good value, in their order. Error: NotFound where there is none,
// with the first reason.
Result<std::vector<ObjectValue>> pick_values(const std::vector<Sample>& samples,
                                             std::string_view label,
                                             std::span<const std::string> names,
                                             const Freshness& freshness);

}  // namespace mcpfleet::adapter::promql
