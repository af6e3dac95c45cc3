// Where a pod stands in its life and in the rollouts of its workload, for those who decide on how
// many pods there should be. Pure.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "metrics-adapter/pod_target.h"
#include "metrics-adapter/roster.h"

namespace mcpfleet::adapter {

// A pod that is not ready is Starting until it was ready for the first time.
enum class PodStage { Starting, Ready, Unready, Terminating, Finished };
PodStage stage_of(const PodTarget& pod);
std::string_view to_string(PodStage stage);

// Which pods are of an older rollout than the newest of their workload, by what the pods themselves
// say: of the revisions that have a living pod the newest is that whose oldest such pod is the
// youngest. An old revision may make pods while it is being replaced (one was evicted, or the
// workload was scaled), so the youngest pod alone says nothing. A rollback while a rollout is under
// way goes back to a revision with older pods: that counts as outdated until the last pod of the
// other one ends. Of revisions that began in the same second none is outdated.
// Thread safety: const functions from any thread. The pods outlive it.
class Rollouts {
 public:
  explicit Rollouts(std::span<const PodEntry> pods);
  bool is_outdated(const PodTarget& pod) const;

 private:
  using Begun = std::map<std::string_view, WallTime>;  // by revision
  std::map<std::string_view, Begun> workloads_;
};

// How many pods of an MCPServer there are; a metric of it each. The first four exclude each other,
// and an outdated pod is one of the first three as well.
enum class PodCount { Ready, Starting, Unready, Terminating, Outdated };
// "mcp_pods_ready", …, in the order of the enumeration.
std::span<const std::string_view> pod_count_names();
std::optional<PodCount> parse_pod_count(std::string_view name);
// What is counted, in words.
std::string_view formula(PodCount count);
bool is_counted(PodCount count, const PodTarget& pod, const Rollouts& rollouts);

}  // namespace mcpfleet::adapter
