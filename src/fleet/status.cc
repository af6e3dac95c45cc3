#include "fleet/status.h"

#include <algorithm>

#include "base/time_text.h"
#include "fleet/conditions.h"

namespace mcpfleet::fleet {
namespace {

Json encode_decision(const Decision& decision) {
  return {{"time", to_rfc3339(decision.time)},
          {"from", decision.from},
          {"to", decision.to},
          {"rule", decision.rule},
          {"reason", decision.reason},
          {"message", decision.message}};
}

Json encode_server_info(const ServerInfo& info) {
  Json result = Json::object();
  const auto set = [&result](const char* key, const auto& value) {
    if (!value.empty()) result[key] = value;
  };
  set("name", info.name);
  set("version", info.version);
  set("protocolVersions", info.protocol_versions);
  set("capabilities", info.capabilities);
  set("revision", info.revision);
  return result;
}

std::vector<std::string> texts_of(const Json& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const Json& item : list_of(object, key))
    if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

ServerInfo decode_server_info(const Json& json) {
  return {text_of(json, "name"), text_of(json, "version"), texts_of(json, "protocolVersions"),
          texts_of(json, "capabilities"), text_of(json, "revision")};
}

Json encode_input(const DecisionInput& input) {
  Json result{{"name", input.name}, {"ageSeconds", input.age_seconds}};
  if (!input.value.empty()) result["value"] = input.value;
  if (!input.target.empty()) result["target"] = input.target;
  return result;
}

Json encode_scaling_decision(const ScalingDecision& decision) {
  Json result{{"time", to_rfc3339(decision.time)},
              {"from", decision.from},
              {"to", decision.to},
              {"by", decision.by},
              {"reason", decision.reason},
              {"message", decision.message}};
  if (!decision.rule.empty()) result["rule"] = decision.rule;
  if (!decision.limits.empty()) result["limits"] = decision.limits;
  for (const auto& input : decision.inputs) result["inputs"].push_back(encode_input(input));
  return result;
}

Json encode_scaling(const ScalingStatus& scaling) {
  Json result = Json::object();
  if (scaling.recommended_replicas > 0)
    result["recommendedReplicas"] = scaling.recommended_replicas;
  if (scaling.floor > 0) result["floor"] = scaling.floor;
  if (!scaling.mode.empty()) result["mode"] = scaling.mode;
  if (scaling.would_be) result["wouldBe"] = *scaling.would_be;
  for (const auto& decision : scaling.decisions)
    result["decisions"].push_back(encode_scaling_decision(decision));
  for (const auto& metric : scaling.metrics) {
    Json item{{"name", metric.name}, {"target", metric.target}, {"time", to_rfc3339(metric.time)}};
    if (!metric.current.empty()) item["current"] = metric.current;
    result["metrics"].push_back(std::move(item));
  }
  if (scaling.last_decision) result["lastDecision"] = encode_decision(*scaling.last_decision);
  for (const auto& [name, time] : scaling.last_fired)
    result["rules"].push_back({{"name", name}, {"lastFired", to_rfc3339(time)}});
  if (scaling.last_released) result["lastReleased"] = to_rfc3339(*scaling.last_released);
  return result;
}

std::optional<Decision> decode_decision(const Json& json) {
  const auto time = time_of(json, "time");
  if (!time) return std::nullopt;
  return Decision{*time,
                  count_of(json, "from"),
                  count_of(json, "to"),
                  text_of(json, "rule"),
                  text_of(json, "reason"),
                  text_of(json, "message")};
}

DecisionInput decode_input(const Json& json) {
  return {text_of(json, "name"), text_of(json, "value"), text_of(json, "target"),
          count_of(json, "ageSeconds")};
}

std::optional<ScalingDecision> decode_scaling_decision(const Json& json) {
  const auto time = time_of(json, "time");
  if (!time) return std::nullopt;
  ScalingDecision decision{.time = *time,
                           .from = count_of(json, "from"),
                           .to = count_of(json, "to"),
                           .by = text_of(json, "by"),
                           .rule = text_of(json, "rule"),
                           .reason = text_of(json, "reason"),
                           .message = text_of(json, "message"),
                           .limits = texts_of(json, "limits")};
  for (const Json& item : list_of(json, "inputs")) decision.inputs.push_back(decode_input(item));
  return decision;
}

ScalingStatus decode_scaling(const Json& json) {
  ScalingStatus scaling;
  scaling.recommended_replicas = count_of(json, "recommendedReplicas");
  // Before there was a floor of its own, the recommendation was the floor.
  scaling.floor = member(json, "floor").is_null() && member(json, "decisions").is_null()
                      ? scaling.recommended_replicas
                      : count_of(json, "floor");
  scaling.mode = text_of(json, "mode");
  if (member(json, "wouldBe").is_number_integer()) scaling.would_be = count_of(json, "wouldBe");
  for (const Json& item : list_of(json, "decisions"))
    if (auto decision = decode_scaling_decision(item))
      scaling.decisions.push_back(std::move(*decision));
  for (const Json& item : list_of(json, "metrics"))
    scaling.metrics.push_back({text_of(item, "name"), text_of(item, "current"),
                               text_of(item, "target"),
                               time_of(item, "time").value_or(WallTime{})});
  scaling.last_decision = decode_decision(member(json, "lastDecision"));
  for (const Json& item : list_of(json, "rules"))
    if (const auto time = time_of(item, "lastFired"))
      scaling.last_fired[text_of(item, "name")] = *time;
  scaling.last_released = time_of(json, "lastReleased");
  return scaling;
}

}  // namespace

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

const Condition* find_condition(const Status& status, std::string_view type) {
  return find_condition(status.conditions, type);
}

std::string encode_status(const Status& status) {
  Json result{{"observedGeneration", status.observed_generation},
              {"replicas", status.replicas},
              {"readyReplicas", status.ready_replicas},
              {"selector", status.selector}};
  if (!status.address_url.empty()) result["address"]["url"] = status.address_url;
  if (status.server_info) result["serverInfo"] = encode_server_info(*status.server_info);
  if (status.active_sessions) result["sessions"]["active"] = *status.active_sessions;
  if (status.scaling) result["scaling"] = encode_scaling(*status.scaling);
  if (!status.conditions.empty()) result["conditions"] = encode_conditions(status.conditions);
  return to_text(result);
}

Status decode_status(std::string_view text) {
  const auto parsed = parse_json(text, kMaxStatusBytes);
  if (!parsed) return {};
  const Json& json = *parsed;
  Status status;
  status.observed_generation = number_of(json, "observedGeneration");
  status.replicas = count_of(json, "replicas");
  status.ready_replicas = count_of(json, "readyReplicas");
  status.selector = text_of(json, "selector");
  status.address_url = text_of(member(json, "address"), "url");
  if (member(json, "serverInfo").is_object())
    status.server_info = decode_server_info(member(json, "serverInfo"));
  if (member(member(json, "sessions"), "active").is_number_integer())
    status.active_sessions = number_of(member(json, "sessions"), "active");
  if (member(json, "scaling").is_object()) status.scaling = decode_scaling(member(json, "scaling"));
  status.conditions = decode_conditions(list_of(json, "conditions"));
  return status;
}

}  // namespace mcpfleet::fleet
