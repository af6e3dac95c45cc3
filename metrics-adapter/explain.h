// An answer of the metrics API with what it is made of, for people.
#pragma once

#include <string>
#include <vector>

#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/prometheus/prometheus_source.h"

namespace mcpfleet::adapter {

// JSON, kind MetricExplanation: the value, or the reason why there is none; the formula, the window
// and the age that data may have; of each pod its stage, whether it is of an older rollout and
// whether it is counted, the age of its last scrape, why the last one failed, what it counts, and
// its own value or why it has none; of Prometheus what it was asked.
// Pure. Thread safety: any thread.
std::string explanation_body(const MetricQuery& query, const Explanation& explanation,
                             metrics::Instant now);

// The same of an external metric: `items` are its values by their labels, those of pods with the
// pods of each MCPServer that is selected; `sum` is what an HPA makes of them.
std::string explanation_body(const ExternalQuery& query, const ExternalExplanation& explanation,
                             metrics::Instant now);

// Of an external metric that Prometheus has.
struct PrometheusExplanation {
  const Result<std::vector<promql::ExternalValue>>& values;
  const promql::Inquiry& inquiry;
  Duration max_age{0};
};
std::string explanation_body(const ExternalQuery& query, const PrometheusExplanation& explanation,
                             metrics::Instant now);

}  // namespace mcpfleet::adapter
