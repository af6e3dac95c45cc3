#include "tools/kubectl-mcp/explain_json.h"

#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "fleet/status.h"
#include "tools/kubectl-mcp/drivers.h"

namespace mcpfleet::kubectl {
namespace {

using Json = nlohmann::ordered_json;

void put(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

const char* name_of(fleet::ScalingMode mode) {
  switch (mode) {
    case fleet::ScalingMode::Active:
      return "Active";
    case fleet::ScalingMode::DryRun:
      return "DryRun";
    case fleet::ScalingMode::Paused:
      break;
  }
  return "Paused";
}

Json driver_json(const Driver& driver) {
  Json result{{"name", driver.name}};
  put(result, "value", driver.value);
  put(result, "target", driver.target);
  if (driver.age) {
    result["ageSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(*driver.age).count();
  }
  put(result, "detail", driver.detail);
  put(result, "missing", driver.missing);
  return result;
}

Json autoscaling_json(const Explanation& explanation) {
  const auto& autoscaling = *explanation.server.autoscaling;
  const bool hpa = autoscaling.actuator == fleet::Actuator::Hpa;
  Json result{{"mode", name_of(autoscaling.mode)},
              {"actuator", hpa ? "HPA" : "Operator"},
              {"minReplicas", autoscaling.min_replicas},
              {"maxReplicas", autoscaling.max_replicas},
              {"drivers", Json::array()}};
  for (const auto& driver : drivers(explanation)) {
    result["drivers"].push_back(driver_json(driver));
  }
  return result;
}

Json hpa_json(const HpaReport& report) {
  Json result{{"name", report.hpa.name},
              {"currentReplicas", report.hpa.current_replicas},
              {"desiredReplicas", report.hpa.desired_replicas}};
  if (report.last_scaled) result["lastScaleTime"] = to_rfc3339(*report.last_scaled);
  if (report.last_event) {
    result["lastEvent"] = {{"time", to_rfc3339(report.last_event->time)},
                           {"message", report.last_event->message}};
  }
  result["conditions"] = Json::array();
  for (const auto& condition : report.hpa.conditions) {
    result["conditions"].push_back({{"type", condition.type},
                                    {"status", condition.status},
                                    {"reason", condition.reason},
                                    {"message", condition.message}});
  }
  return result;
}

}  // namespace

std::string explain_json(const Explanation& explanation) {
  const auto& server = explanation.server;
  Json result{{"namespace", server.namespace_},
              {"name", server.name},
              {"time", to_rfc3339(explanation.now)},
              {"generation", server.generation}};
  put(result, "invalid", explanation.invalid);
  if (server.autoscaling) result["autoscaling"] = autoscaling_json(explanation);
  if (explanation.hpa) result["hpa"] = hpa_json(*explanation.hpa);
  put(result, "hpaProblem", explanation.hpa_problem);
  // As the object has it: decisions, conditions, counts.
  result["status"] = Json::parse(fleet::encode_status(server.status));
  constexpr int kSpaces = 2;
  return result.dump(kSpaces, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mcpfleet::kubectl
