// Requests of the metrics API to answers, without network, identity or rights.
//
// Source of the bodies: k8s.io/metrics pkg/apis/custom_metrics/v1beta1/types.go and
// v1beta2/types.go, pkg/apis/external_metrics/v1beta1/types.go.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/request_path.h"

namespace mcpfleet::adapter {

// Answers a target for which is_resource() is true.
http::Response answer_metric_request(const Target& target, const MetricSource& source,
                                     metrics::Instant now);

// The MetricValueList of an answer, in the version that was asked for.
std::string metric_value_list(const MetricQuery& query, const MetricAnswer& answer);
// The ExternalMetricValueList of an answer.
std::string external_metric_value_list(const ExternalQuery& query, const MetricAnswer& answer);

}  // namespace mcpfleet::adapter
