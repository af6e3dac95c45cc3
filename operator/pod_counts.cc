#include "operator/pod_counts.h"

#include <algorithm>

namespace mcpfleet::op {

scaling::Pods pods_of(const desired::ReplicaCounts& counts,
                      const std::vector<desired::ObservedPod>& pods) {
  const auto troubled = static_cast<int>(std::ranges::count_if(
      pods, [](const auto& pod) { return pod.problem && !pod.ready && !pod.deleting; }));
  scaling::Pods result;
  result.wanted = counts.spec_replicas;
  result.outdated = std::clamp(counts.replicas - counts.updated_replicas, 0, counts.ready_replicas);
  result.ready = counts.ready_replicas - result.outdated;
  // What a new count asks for and the workload's controller has not made yet is on its way, too.
  const int there = std::max(counts.replicas, counts.spec_replicas);
  result.starting = std::max(there - counts.ready_replicas - troubled, 0);
  result.stopping =
      static_cast<int>(std::ranges::count_if(pods, [](const auto& pod) { return pod.deleting; }));
  return result;
}

}  // namespace mcpfleet::op
