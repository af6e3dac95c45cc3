// CPU and memory that the pods of MCPServers use, by the resource metrics API (metrics.k8s.io).
//
// Pure functions, but for read_pod_usages(), which blocks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "desired/observed.h"
#include "fleet/mcp_server.h"
#include "kube/client.h"

namespace mcpfleet::op {

// Of the server's container of one pod. Thousandths of a CPU, thousandths of a byte.
struct PodUsage {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_milli = 0;
  WallTime at{};  // the end of the time that it was measured over
};
using PodUsages = std::map<std::string, PodUsage>;  // by pod

// A PodMetricsList; a pod without that container is left out. Error: Malformed.
Result<PodUsages> decode_pod_usages(std::string_view text);

// Of all pods of MCPServers in a namespace. Errors: those of the API server, in a sentence that
// says whose metrics are missing.
Result<PodUsages> read_pod_usages(kube::Client& client, const std::string& namespace_);

// What a target of utilization is a percentage of; nullopt: not requested.
struct ResourceRequests {
  std::optional<std::int64_t> cpu_milli;
  std::optional<std::int64_t> memory_milli;
};
// Of the server's container. Limits stand in for requests, as in Kubernetes.
ResourceRequests requests_of(const fleet::Runtime& runtime);

// Percent of the request that the ready pods use together, with the age of the oldest.
struct Utilization {
  double percent = 0;
  WallTime at{};
};
// nullopt: no ready pod is known to the resource metrics API.
std::optional<Utilization> utilization(const PodUsages& usages,
                                       const std::vector<desired::ObservedPod>& pods,
                                       std::int64_t PodUsage::* resource, std::int64_t request);

}  // namespace mcpfleet::op
