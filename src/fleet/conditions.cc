#include "fleet/conditions.h"

#include <algorithm>

#include "base/time_text.h"

namespace mcpfleet::fleet {
namespace {

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

Json encode_condition(const Condition& condition) {
  return {{"type", condition.type},
          {"status", to_string(condition.status)},
          {"reason", condition.reason},
          {"message", condition.message},
          {"lastTransitionTime", to_rfc3339(condition.last_transition)},
          {"observedGeneration", condition.observed_generation}};
}

}  // namespace

Json encode_conditions(const std::vector<Condition>& conditions) {
  Json list = Json::array();
  for (const auto& condition : conditions) list.push_back(encode_condition(condition));
  return list;
}

std::vector<Condition> decode_conditions(const Json& list) {
  std::vector<Condition> conditions;
  for (const Json& item : list)
    conditions.push_back({text_of(item, "type"), condition_status(text_of(item, "status")),
                          text_of(item, "reason"), text_of(item, "message"),
                          time_of(item, "lastTransitionTime").value_or(WallTime{}),
                          number_of(item, "observedGeneration")});
  return conditions;
}

std::optional<WallTime> time_of(const Json& object, std::string_view key) {
  const auto time = parse_rfc3339(text_of(object, key));
  return time ? std::optional(*time) : std::nullopt;
}

int count_of(const Json& object, std::string_view key) {
  return static_cast<int>(std::clamp<std::int64_t>(number_of(object, key), 0, 1'000'000));
}

}  // namespace mcpfleet::fleet
