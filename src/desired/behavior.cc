#include "desired/parts.h"

namespace mcpfleet::desired {
namespace {

// Asked for in at least one direction.
bool asks_for_tolerance(const Json& behavior) {
  return fleet::member(fleet::member(behavior, "scaleUp"), "tolerance") != nullptr ||
         fleet::member(fleet::member(behavior, "scaleDown"), "tolerance") != nullptr;
}

}  // namespace

Json hpa_behavior(const fleet::Autoscaling& autoscaling, bool tolerance_supported,
                  std::vector<std::string>& notes) {
  auto parsed = fleet::parse_json(autoscaling.behavior, autoscaling.behavior.size());
  Json behavior = parsed && parsed->is_object() ? std::move(*parsed) : Json::object();
  const bool rules = !autoscaling.rules.empty();
  if (!tolerance_supported) {
    if (asks_for_tolerance(behavior))
      notes.push_back(
          "spec.autoscaling.behavior: tolerance is left out, for this cluster's "
          "HorizontalPodAutoscaler does not have it (Kubernetes 1.35 has)");
    else if (rules)
      notes.push_back(
          "rules: a recommendation within 10 % of the present replicas is not followed, for this "
          "cluster's HorizontalPodAutoscaler has no tolerance field (Kubernetes 1.35 has)");
    for (const char* direction : {"scaleUp", "scaleDown"})
      if (behavior.contains(direction)) behavior[direction].erase("tolerance");
    return behavior;
  }
  // The recommendation is exact: the usual 10 % would swallow steps such as 11 -> 12.
  if (rules)
    for (const char* direction : {"scaleUp", "scaleDown"})
      if (fleet::member(fleet::member(behavior, direction), "tolerance").is_null())
        behavior[direction]["tolerance"] = "0";
  return behavior;
}

}  // namespace mcpfleet::desired
