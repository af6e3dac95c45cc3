// What this API server can do, by its own OpenAPI document.
#pragma once

#include <set>
#include <string_view>

#include "base/result.h"
#include "kube/client.h"
#include "operator/child.h"

namespace mcpfleet::op {

// HPAScalingRules of autoscaling/v2 has the field `tolerance` (beta from Kubernetes 1.35). False
// where the document cannot be understood.
bool document_has_tolerance(std::string_view openapi_v3);

// Asks the API server. Errors: as kube::Client; a server without OpenAPI v3 is none.
Result<bool> hpa_has_tolerance(kube::Client& client);

// Those optional kinds of children whose CRD somebody installed. Errors: as kube::Client.
Result<std::set<ChildKind>> installed_kinds(kube::Client& client);

}  // namespace mcpfleet::op
