// Writes the replicas of a workload, as a HorizontalPodAutoscaler does.
#pragma once

#include "base/result.h"
#include "fleet/mcp_server.h"
#include "kube/client.h"

namespace mcpfleet::op {

// Sets spec.replicas of the workload that `server` scales, through its scale subresource, so that
// nothing else of the workload is touched. Errors: those of the API server. Thread safety: as
// kube::Client; blocks.
Result<void> write_scale(kube::Client& client, const fleet::MCPServer& server, int replicas);

}  // namespace mcpfleet::op
