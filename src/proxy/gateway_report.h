// What a gateway tells of itself: metrics, statistics and health.
#pragma once

#include <string>

#include "proxy/gateway_plane.h"

namespace mcpfleet::proxy {

// For /metrics: Prometheus' text format. What a sidecar has too has the same name.
std::string metrics_text(const GatewayPlane& plane);
// For /metrics.json: the statistics of each server and of its pods.
std::string statistics_text(const GatewayPlane& plane);

}  // namespace mcpfleet::proxy
