// An answer of the metrics API with what it is made of, for people.
#pragma once

#include <string>

#include "metrics-adapter/metric_source.h"

namespace mcpfleet::adapter {

// JSON, kind MetricExplanation: the value, or the reason why there is none; the formula, the window
// and the age that data may have; and of each pod whether it is ready or terminating, the age of
// its last scrape, why the last one failed, what it counts, and its own value or why it has none.
// Pure. Thread safety: any thread.
std::string explanation_body(const MetricQuery& query, const Explanation& explanation,
                             metrics::Instant now);

}  // namespace mcpfleet::adapter
