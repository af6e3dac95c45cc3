#include <algorithm>
#include <set>

#include "fleet/decode.h"
#include "fleet/decode_parts.h"

namespace mcpfleet::fleet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMaxReplicas = 1000;
// The defaults of spec.autoscaling.behavior: up 60 s / 100 % per 60 s, down 300 s / 10 % per 60 s.
constexpr const char* kDefaultBehavior =
    R"({"scaleDown":{"policies":[{"periodSeconds":60,"type":"Percent","value":10}],)"
    R"("stabilizationWindowSeconds":300},)"
    R"("scaleUp":{"policies":[{"periodSeconds":60,"type":"Percent","value":100}],)"
    R"("stabilizationWindowSeconds":60}})";

std::optional<std::int64_t> positive_quantity(const Field& field) {
  const auto milli = field.quantity_milli();
  if (milli == 0) field.refuse("must be greater than 0");
  return milli;
}

std::optional<int> percent(const Field& field, int most) {
  if (!field.present()) return std::nullopt;
  return field.integer(1, 1, most);
}

Targets decode_targets(const Field& field) {
  if (!field.present()) return {70, 80, 100'000, std::nullopt};
  field.object();
  return {percent(field["cpuUtilization"], 1000), percent(field["memoryUtilization"], 1000),
          positive_quantity(field["requestsPerSecond"]), positive_quantity(field["concurrency"])};
}

Operator decode_operator(const Field& field) {
  const std::string text = field.one_of(">", {">", "<", ">=", "<="});
  if (text == "<") return Operator::Less;
  if (text == ">=") return Operator::GreaterOrEqual;
  return text == "<=" ? Operator::LessOrEqual : Operator::Greater;
}

Amount decode_amount(const Field& field) {
  if (!field.present()) return {1, std::nullopt};
  field.object();
  Amount amount;
  if (field["pods"].present()) amount.pods = field["pods"].integer(1, 1, kMaxReplicas);
  if (field["percent"].present()) amount.percent = field["percent"].integer(1, 1, 1000);
  if (amount.pods.has_value() == amount.percent.has_value())
    field.refuse("must have exactly one of pods and percent");
  return amount;
}

std::string required(const Field& field, std::size_t most) {
  if (!field.present()) field.refuse("is required");
  return field.text("", 1, most);
}

std::string decode_metric(const Field& field) {
  std::string metric = required(field, 253);
  if (std::ranges::find(kRuleMetrics, metric) != kRuleMetrics.end()) return metric;
  std::string known;
  for (std::string_view name : kRuleMetrics)
    known += (known.empty() ? "" : ", ") + std::string(name);
  field.refuse("must be one of " + known + ", not \"" + metric + "\"");
  return metric;
}

Rule decode_rule(const Field& field) {
  field.object();
  Rule rule;
  rule.name = required(field["name"], 63);
  if (!is_dns_label(rule.name))
    field["name"].refuse("must be lower-case letters, digits and \"-\", such as slow-search");
  rule.metric = decode_metric(field["metric"]);
  rule.tool = field["tool"].text("", 1, 128);
  rule.op = decode_operator(field["operator"]);
  if (!field["threshold"].present()) field["threshold"].refuse("is required");
  rule.threshold = static_cast<double>(field["threshold"].quantity_milli().value_or(0)) / 1000;
  if (!field["action"].present()) field["action"].refuse("is required");
  rule.action = field["action"].one_of("ScaleUp", {"ScaleUp", "ScaleDown"}) == "ScaleUp"
                    ? Action::ScaleUp
                    : Action::ScaleDown;
  rule.amount = decode_amount(field["amount"]);
  if (field["window"].present() && field["window"].value() == "0s")
    field["window"].refuse("must be greater than 0s");
  rule.window = field["window"].duration(seconds(300), seconds(1), hours(24));
  rule.cooldown = field["cooldown"].duration(seconds(300), seconds(0), hours(24));
  return rule;
}

std::vector<Rule> decode_rules(const Field& field) {
  std::vector<Rule> rules;
  std::set<std::string> names;
  for (const Field& item : field.items(32)) {
    rules.push_back(decode_rule(item));
    if (!names.insert(rules.back().name).second)
      item["name"].refuse("must be unique, and \"" + rules.back().name + "\" is there twice");
  }
  return rules;
}

void check_policies(const Field& direction) {
  if (!direction.object()) return;
  direction["stabilizationWindowSeconds"].integer(0, 0, 3600);
  direction["selectPolicy"].one_of("Max", {"Max", "Min", "Disabled"});
  direction["tolerance"].quantity_milli();
  for (const Field& policy : direction["policies"].items(8)) {
    policy.object();
    for (const char* key : {"type", "value", "periodSeconds"})
      if (!policy[key].present()) policy[key].refuse("is required");
    policy["type"].one_of("Pods", {"Pods", "Percent"});
    policy["value"].integer(1, 1, 100'000);
    policy["periodSeconds"].integer(1, 1, 1800);
  }
}

RawJson decode_behavior(const Field& field) {
  if (!field.object()) return kDefaultBehavior;
  check_policies(field["scaleUp"]);
  check_policies(field["scaleDown"]);
  return to_text(field.value());
}

}  // namespace

std::optional<Autoscaling> decode_autoscaling(const Field& field) {
  if (!field.object()) return std::nullopt;
  Autoscaling result;
  result.min_replicas = field["minReplicas"].integer(3, 1, kMaxReplicas);
  result.max_replicas = field["maxReplicas"].integer(50, 1, kMaxReplicas);
  if (result.min_replicas > result.max_replicas)
    field["minReplicas"].refuse(
        "must not be greater than maxReplicas (" + std::to_string(result.min_replicas) + " > " +
        std::to_string(result.max_replicas) + "; they default to 3 and 50)");
  result.targets = decode_targets(field["targets"]);
  result.rules = decode_rules(field["rules"]);
  result.behavior = decode_behavior(field["behavior"]);
  if (result.targets == Targets{} && result.rules.empty())
    field["targets"].refuse("must name at least one target where there are no rules");
  return result;
}

}  // namespace mcpfleet::fleet
