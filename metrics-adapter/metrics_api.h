// Requests of the metrics API to answers, without network, identity or rights.
//
// Source of the bodies: k8s.io/metrics pkg/apis/custom_metrics/v1beta1/types.go and
// v1beta2/types.go, pkg/apis/external_metrics/v1beta1/types.go.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/prometheus/prometheus_source.h"
#include "metrics-adapter/request_path.h"

namespace mcpfleet::adapter {

// Where values come from. What the pods' source does not know is asked of Prometheus where there is
// one.
struct Sources {
  const MetricSource& pods;
  promql::PrometheusSource* prometheus = nullptr;  // null: none
};

// Whether the answer has to wait for Prometheus, so that it needs a thread that may.
bool waits(const Target& target, const Sources& sources);

// Answers a target for which is_resource() is true.
http::Response answer_metric_request(const Target& target, const Sources& sources,
                                     metrics::Instant now);

// The MetricValueList of an answer, in the version that was asked for.
std::string metric_value_list(const MetricQuery& query, const MetricAnswer& answer);
std::string metric_value_list(const MetricQuery& query, const promql::ObjectAnswer& answer);
// The ExternalMetricValueList of an answer.
std::string external_metric_value_list(const ExternalQuery& query, const MetricAnswer& answer);
std::string external_metric_value_list(const ExternalQuery& query,
                                       const std::vector<promql::ExternalValue>& values);

}  // namespace mcpfleet::adapter
