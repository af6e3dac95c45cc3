#include "fleet/status.h"

#include <algorithm>

#include "base/time_text.h"
#include "fleet/json_text.h"

namespace mcpfleet::fleet {
namespace {

constexpr std::size_t kMaxStatusBytes = 1024 * 1024;

const char* to_string(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::True:
      return "True";
    case ConditionStatus::False:
      return "False";
    case ConditionStatus::Unknown:
      return "Unknown";
  }
  return "Unknown";
}

ConditionStatus condition_status(const std::string& text) {
  if (text == "True") return ConditionStatus::True;
  return text == "False" ? ConditionStatus::False : ConditionStatus::Unknown;
}

std::optional<WallTime> time_of(const Json& object, std::string_view key) {
  const auto time = parse_rfc3339(text_of(object, key));
  return time ? std::optional(*time) : std::nullopt;
}

int count_of(const Json& object, std::string_view key) {
  return static_cast<int>(std::clamp<std::int64_t>(number_of(object, key), 0, 1'000'000));
}

Json encode_condition(const Condition& condition) {
  return {{"type", condition.type},
          {"status", to_string(condition.status)},
          {"reason", condition.reason},
          {"message", condition.message},
          {"lastTransitionTime", to_rfc3339(condition.last_transition)},
          {"observedGeneration", condition.observed_generation}};
}

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

Json encode_scaling(const ScalingStatus& scaling) {
  Json result = Json::object();
  if (scaling.recommended_replicas > 0)
    result["recommendedReplicas"] = scaling.recommended_replicas;
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

ScalingStatus decode_scaling(const Json& json) {
  ScalingStatus scaling;
  scaling.recommended_replicas = count_of(json, "recommendedReplicas");
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

const Condition* find_condition(const Status& status, std::string_view type) {
  const auto found = std::ranges::find(status.conditions, type, &Condition::type);
  return found == status.conditions.end() ? nullptr : &*found;
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
  for (const auto& condition : status.conditions)
    result["conditions"].push_back(encode_condition(condition));
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
  for (const Json& item : list_of(json, "conditions"))
    status.conditions.push_back({text_of(item, "type"), condition_status(text_of(item, "status")),
                                 text_of(item, "reason"), text_of(item, "message"),
                                 time_of(item, "lastTransitionTime").value_or(WallTime{}),
                                 number_of(item, "observedGeneration")});
  return status;
}

}  // namespace mcpfleet::fleet
