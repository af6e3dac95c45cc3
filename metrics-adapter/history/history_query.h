// What a question about the past asks for. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics-adapter/request_path.h"
#include "metrics/history.h"
#include "metrics/label_selector.h"

namespace mcpfleet::adapter {

struct HistoryQuery {
  MetricPath path;
  metrics::Metric metric = metrics::Metric::RequestsPerSecond;
  metrics::LabelSelector tags;  // of tools; empty: all requests together
  WallTime from;                // both are inside
  WallTime to;
  metrics::Resolution resolution = metrics::Resolution::Raw;
  std::vector<metrics::AggregateField> aggregates;  // of a history: none means each sample
  std::size_t limit = 10;                           // of a ranking

  // Views into this.
  metrics::HistorySelection selection() const;
};

// The parameters of a history: window, or from and to; resolution; aggregate; metricLabelSelector.
// `target` is what remembered() gives. Error: Invalid, with the parameter's name, or NotFound for a
// metric or resource that has no history.
Result<HistoryQuery> parse_history_query(const Target& target, const metrics::HistoryLimits& limits,
                                         WallTime now);

// The same of a ranking, whose `target` is what ranked() gives; it has a limit, and one aggregate.
Result<HistoryQuery> parse_top_query(const Target& target, const metrics::HistoryLimits& limits,
                                     WallTime now);

// What is to be forgotten: there are no parameters, and name and metric may be "*".
struct ResetQuery {
  MetricPath path;
  std::optional<metrics::Metric> metric;  // nullopt: all

  metrics::HistorySelection selection() const;
};
Result<ResetQuery> parse_reset_query(const Target& target);

}  // namespace mcpfleet::adapter
