// The value of a metric of any name, from the series that a pod exposes.
//
// Thread safety: free functions without state.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/answer.h"
#include "metrics/label_selector.h"
#include "metrics/series_window.h"

namespace mcpfleet::metrics {

// Whether it may be the name of a metric that is asked for: as Prometheus has them, up to 200
// characters.
bool is_metric_name(std::string_view text);

// The series that a metric's name may mean; the first reading whose series are there counts:
//   NAME              the sum of the series NAME, as they are
//   X_per_second      the rate of the counter X_total, or X
//   X_avg             the increase of X_sum over that of X_count
//   X_p50, X_p99, …   the quantile of the increases of X_bucket, by linear interpolation
WantedSeries series_for(std::string_view metric);

// How the value comes about, in words.
std::string series_formula(std::string_view metric);

// Which series count, by their labels.
struct SeriesQuery {
  std::string_view metric;
  const LabelSelector& only;
  std::string_view only_text;  // as its author wrote it
};

// The value of one pod. Errors: NotFound, with the reason.
Result<Value> pod_series_value(const PodState& pod, const SeriesQuery& query, const Terms& terms,
                               Instant now);

}  // namespace mcpfleet::metrics
