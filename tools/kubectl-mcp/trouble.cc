#include "tools/kubectl-mcp/trouble.h"

#include <string>

#include "desired/reasons.h"

namespace mcpfleet::kubectl {
namespace {

using fleet::ConditionStatus;

bool is_trouble(const fleet::Condition& condition) {
  if (condition.type == desired::kScalingLimited) return condition.status == ConditionStatus::True;
  if (condition.type == desired::kProgressing) return condition.reason == desired::kStalled;
  // "spec.autoscaling is not set" is said where it is looked for.
  const bool unset = condition.type == desired::kScalingActive &&
                     condition.reason == desired::kNotConfigured &&
                     condition.message == "spec.autoscaling is not set";
  // Somebody chose these; they are said with who moves the replicas.
  const bool chosen = condition.reason == "DryRun" || condition.reason == "Paused";
  return !unset && !chosen && condition.status != ConditionStatus::True;
}

}  // namespace

std::vector<fleet::Condition> troubles(const fleet::Status& status) {
  std::vector<fleet::Condition> result;
  for (const auto& condition : status.conditions) {
    if (is_trouble(condition)) result.push_back(condition);
  }
  return result;
}

}  // namespace mcpfleet::kubectl
