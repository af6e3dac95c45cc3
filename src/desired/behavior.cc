#include "desired/parts.h"

namespace mcpfleet::desired {
namespace {

// Asked for in at least one direction.
bool asks_for_tolerance(const Json& behavior) {
  return fleet::member(fleet::member(behavior, "scaleUp"), "tolerance") != nullptr ||
         fleet::member(fleet::member(behavior, "scaleDown"), "tolerance") != nullptr;
}

// Our windows and the HPA's would smooth the same rise one after the other.
bool smooths_twice(const fleet::Autoscaling& autoscaling, const Json& behavior) {
  const Json& window =
      fleet::member(fleet::member(behavior, "scaleUp"), "stabilizationWindowSeconds");
  return autoscaling.panic && window.is_number_integer() && window.get<std::int64_t>() > 0;
}

}  // namespace

Json hpa_behavior(const fleet::Autoscaling& autoscaling, bool tolerance_supported,
                  std::vector<std::string>& notes) {
  auto parsed = fleet::parse_json(autoscaling.behavior, autoscaling.behavior.size());
  Json behavior = parsed && parsed->is_object() ? std::move(*parsed) : Json::object();
  const bool recommends = fleet::recommends(autoscaling);
  if (smooths_twice(autoscaling, behavior))
    notes.push_back(
        "spec.autoscaling.behavior.scaleUp.stabilizationWindowSeconds smooths what "
        "spec.autoscaling.panic smooths already; set it to 0 for the bursts to be followed at "
        "once");
  if (!tolerance_supported) {
    if (asks_for_tolerance(behavior))
      notes.push_back(
          "spec.autoscaling.behavior: tolerance is left out, for this cluster's "
          "HorizontalPodAutoscaler does not have it (Kubernetes 1.35 has)");
    else if (recommends)
      notes.push_back(
          "a recommendation within 10 % of the present replicas is not followed, for this "
          "cluster's HorizontalPodAutoscaler has no tolerance field (Kubernetes 1.35 has)");
    for (const char* direction : {"scaleUp", "scaleDown"})
      if (behavior.contains(direction)) behavior[direction].erase("tolerance");
    return behavior;
  }
  // The recommendation is exact: the usual 10 % would swallow steps such as 11 -> 12.
  if (recommends)
    for (const char* direction : {"scaleUp", "scaleDown"})
      if (fleet::member(fleet::member(behavior, direction), "tolerance").is_null())
        behavior[direction]["tolerance"] = "0";
  return behavior;
}

}  // namespace mcpfleet::desired
