#include "metrics-adapter/pod_stage.h"

#include <algorithm>
#include <array>

namespace mcpfleet::adapter {
namespace {

constexpr std::array<std::string_view, 5> kCountNames{"mcp_pods_ready", "mcp_pods_starting",
                                                      "mcp_pods_unready", "mcp_pods_terminating",
                                                      "mcp_pods_outdated"};

bool is_living(const PodTarget& pod) { return !pod.finished && !pod.deleting; }

}  // namespace

PodStage stage_of(const PodTarget& pod) {
  if (pod.finished) return PodStage::Finished;
  if (pod.deleting) return PodStage::Terminating;
  if (pod.ready) return PodStage::Ready;
  return pod.was_ready ? PodStage::Unready : PodStage::Starting;
}

std::string_view to_string(PodStage stage) {
  switch (stage) {
    case PodStage::Starting:
      return "starting";
    case PodStage::Ready:
      return "ready";
    case PodStage::Unready:
      return "unready";
    case PodStage::Terminating:
      return "terminating";
    case PodStage::Finished:
      return "finished";
  }
  return {};
}

Rollouts::Rollouts(std::span<const PodEntry> pods) {
  for (const auto& [pod, record] : pods) {
    if (!is_living(*pod) || pod->revision().empty()) continue;
    const auto [begun, is_new] =
        workloads_[pod->workload].try_emplace(pod->revision(), pod->created);
    if (!is_new) begun->second = std::min(begun->second, pod->created);
  }
}

bool Rollouts::is_outdated(const PodTarget& pod) const {
  const auto workload = workloads_.find(pod.workload);
  if (workload == workloads_.end() || pod.revision().empty()) return false;
  const auto& begun = workload->second;
  const auto its = begun.find(pod.revision());
  // The last ones of a revision end.
  if (its == begun.end()) return true;
  return std::ranges::any_of(begun,
                             [its](const auto& other) { return other.second > its->second; });
}

std::span<const std::string_view> pod_count_names() { return kCountNames; }

std::optional<PodCount> parse_pod_count(std::string_view name) {
  const auto found = std::ranges::find(kCountNames, name);
  if (found == kCountNames.end()) return std::nullopt;
  return static_cast<PodCount>(found - kCountNames.begin());
}

std::string_view formula(PodCount count) {
  switch (count) {
    case PodCount::Ready:
      return "number of the pods that are ready and not terminating";
    case PodCount::Starting:
      return "number of the pods that have never been ready yet and are not terminating";
    case PodCount::Unready:
      return "number of the pods that were ready, are not any more, and are not terminating";
    case PodCount::Terminating:
      return "number of the pods that are being deleted";
    case PodCount::Outdated:
      return "number of the pods of an older revision than the newest, which are not terminating";
  }
  return {};
}

bool is_counted(PodCount count, const PodTarget& pod, const Rollouts& rollouts) {
  const auto stage = stage_of(pod);
  switch (count) {
    case PodCount::Ready:
      return stage == PodStage::Ready;
    case PodCount::Starting:
      return stage == PodStage::Starting;
    case PodCount::Unready:
      return stage == PodStage::Unready;
    case PodCount::Terminating:
      return stage == PodStage::Terminating;
    case PodCount::Outdated:
      return is_living(pod) && rollouts.is_outdated(pod);
  }
  return false;
}

}  // namespace mcpfleet::adapter
