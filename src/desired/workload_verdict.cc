#include "desired/workload_verdict.h"

#include <algorithm>
#include <chrono>

#include "desired/reasons.h"

namespace mcpfleet::desired {
namespace {

using fleet::Condition;
using fleet::ConditionStatus;

// The API server takes at most 32768 characters; people read far fewer.
constexpr std::size_t kMaxMessageBytes = 2048;

std::string shortened(std::string text) {
  if (text.size() <= kMaxMessageBytes) return text;
  std::size_t end = kMaxMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string of_replicas(int part, int whole, const char* verb) {
  return std::to_string(part) + " of " + std::to_string(whole) + " replicas " + verb;
}

// The first problem in the order of the pods' names, so that the sentence does not jump about.
const ObservedPod* troubled_pod(const std::vector<ObservedPod>& pods) {
  const ObservedPod* first = nullptr;
  for (const auto& pod : pods)
    if (pod.problem && !pod.deleting && (first == nullptr || pod.name < first->name)) first = &pod;
  return first;
}

}  // namespace

Verdict available(const Workload& workload) {
  const ReplicaCounts* counts = workload.counts;
  if (counts == nullptr)
    return {ConditionStatus::False, kNoReplicaAvailable,
            "the " + workload.name + " does not exist yet"};
  if (counts->spec_replicas == 0)
    return {ConditionStatus::False, kNoReplicaAvailable, "scaled to 0 replicas"};
  std::string message =
      of_replicas(counts->available_replicas, counts->spec_replicas, "are available");
  if (counts->available_replicas > 0)
    return {ConditionStatus::True, kReplicasAvailable, std::move(message)};
  return {ConditionStatus::False, kNoReplicaAvailable, std::move(message)};
}

Verdict progressing(const Workload& workload) {
  const ReplicaCounts* counts = workload.counts;
  if (counts == nullptr)
    return {ConditionStatus::True, kRollingOut, "waiting for the " + workload.name};
  const auto* progress = foreign(counts->conditions, "Progressing");
  if (progress != nullptr && progress->status == "False")
    return {ConditionStatus::False, kStalled, progress->message};
  const int up = std::min(counts->updated_replicas, counts->available_replicas);
  std::string message = of_replicas(up, counts->spec_replicas, "run the present spec");
  if (unobserved(workload) || up < counts->spec_replicas ||
      counts->replicas > counts->updated_replicas)
    return {ConditionStatus::True, kRollingOut, std::move(message)};
  return {ConditionStatus::False, kComplete, std::move(message)};
}

Verdict ready(const Workload& workload, const std::vector<ObservedPod>& pods, int needed,
              const std::optional<Refusal>& refusal) {
  if (refusal) return {ConditionStatus::False, refusal->reason, refusal->message};
  if (const ObservedPod* pod = troubled_pod(pods))
    return {ConditionStatus::False, pod->problem->reason,
            "pod " + pod->name + ": " + pod->problem->message};
  const Verdict progress = progressing(workload);
  if (progress.reason == kStalled) return progress;
  const ReplicaCounts* counts = workload.counts;
  if (counts == nullptr || counts->spec_replicas == 0) return available(workload);
  std::string message = of_replicas(counts->ready_replicas, counts->spec_replicas, "are ready");
  if (unobserved(workload) || counts->ready_replicas < needed)
    return {ConditionStatus::False, kStarting, std::move(message)};
  return {ConditionStatus::True, kServing, std::move(message)};
}

bool unobserved(const Workload& workload) {
  return workload.counts != nullptr &&
         workload.counts->observed_generation < workload.counts->generation;
}

const ForeignCondition* foreign(const std::vector<ForeignCondition>& conditions,
                                std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &ForeignCondition::type);
  return found == conditions.end() ? nullptr : &*found;
}

ConditionWriter::ConditionWriter(const std::vector<Condition>& before, std::int64_t generation,
                                 WallTime now)
    : before_(before),
      generation_(generation),
      now_(std::chrono::floor<std::chrono::seconds>(now)) {}

void ConditionWriter::set(std::string_view type, Verdict verdict) {
  const Condition* before = fleet::find_condition(before_, type);
  const bool same = before != nullptr && before->status == verdict.status;
  conditions_.push_back({std::string(type), verdict.status, std::string(verdict.reason),
                         shortened(std::move(verdict.message)),
                         same ? before->last_transition : now_, generation_});
}

bool ConditionWriter::keep(std::string_view type) {
  const Condition* before = fleet::find_condition(before_, type);
  if (before != nullptr) conditions_.push_back(*before);
  return before != nullptr;
}

}  // namespace mcpfleet::desired
