// What this API server can do, by its own OpenAPI document.
#pragma once

#include <string_view>

#include "base/result.h"
#include "kube/client.h"

namespace mcpfleet::op {

// HPAScalingRules of autoscaling/v2 has the field `tolerance` (beta from Kubernetes 1.35). False
// where the document cannot be understood.
bool document_has_tolerance(std::string_view openapi_v3);

// Asks the API server. Errors: as kube::Client; a server without OpenAPI v3 is none.
Result<bool> hpa_has_tolerance(kube::Client& client);

// Somebody installed the CRD of monitoring.coreos.com/v1 ServiceMonitor. Errors: as kube::Client.
Result<bool> has_service_monitors(kube::Client& client);

}  // namespace mcpfleet::op
