#include <algorithm>
#include <set>

#include "base/cron.h"
#include "fleet/decode.h"
#include "fleet/decode_parts.h"

namespace mcpfleet::fleet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
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

std::string required(const Field& field, std::size_t most) {
  if (!field.present()) field.refuse("is required");
  return field.text("", 1, most);
}

Duration required_duration(const Field& field, Duration least, Duration most) {
  if (!field.present()) field.refuse("is required");
  return field.duration(least, least, most);
}

// A name that is unique in its list.
std::string unique_name(const Field& field, std::set<std::string>& names) {
  std::string name = required(field, 63);
  if (!is_dns_label(name))
    field.refuse("must be lower-case letters, digits and \"-\", such as slow-search");
  if (!names.insert(name).second)
    field.refuse("must be unique, and \"" + name + "\" is there twice");
  return name;
}

std::optional<LatencyTarget> decode_latency(const Field& field) {
  if (!field.object()) return std::nullopt;
  LatencyTarget target;
  const std::string quantile = field["quantile"].one_of("p95", {"p50", "p95", "p99"});
  if (quantile == "p50") target.quantile = Quantile::P50;
  if (quantile == "p99") target.quantile = Quantile::P99;
  target.value = required_duration(field["value"], milliseconds(1), minutes(10));
  return target;
}

Targets decode_targets(const Field& field) {
  if (!field.present()) return {70, 80, 100'000, std::nullopt};
  field.object();
  return {percent(field["cpuUtilization"], 1000),        percent(field["memoryUtilization"], 1000),
          positive_quantity(field["requestsPerSecond"]), positive_quantity(field["concurrency"]),
          positive_quantity(field["sessions"]),          decode_latency(field["latency"])};
}

std::optional<Panic> decode_panic(const Field& field) {
  if (!field.object()) return std::nullopt;
  Panic panic;
  panic.window = field["window"].duration(seconds(6), seconds(2), minutes(5));
  panic.stable_window = field["stableWindow"].duration(seconds(60), seconds(2), minutes(5));
  panic.threshold_percent = field["thresholdPercent"].integer(200, 110, 1000);
  if (panic.window > panic.stable_window)
    field["window"].refuse("must not be longer than stableWindow");
  return panic;
}

std::vector<ScheduledMinimum> decode_schedule(const Field& field) {
  std::vector<ScheduledMinimum> schedule;
  std::set<std::string> names;
  for (const Field& item : field.items(16)) {
    item.object();
    ScheduledMinimum entry;
    entry.name = unique_name(item["name"], names);
    entry.start = required(item["start"], 128);
    if (const auto cron = Cron::parse(entry.start); !cron)
      item["start"].refuse("is no cron line: " + cron.error().message);
    entry.duration = required_duration(item["duration"], minutes(1), hours(168));
    if (!item["minReplicas"].present()) item["minReplicas"].refuse("is required");
    entry.min_replicas = item["minReplicas"].integer(1, 1, kMaxReplicas);
    entry.ramp = item["ramp"].duration(seconds(0), seconds(0), hours(24));
    schedule.push_back(std::move(entry));
  }
  return schedule;
}

std::optional<Forecast> decode_forecast(const Field& field) {
  if (!field.object()) return std::nullopt;
  return Forecast{field["season"].duration(hours(24), minutes(10), hours(168)),
                  field["lookahead"].duration(minutes(2), seconds(1), hours(1))};
}

std::vector<MissingData> decode_missing_data(const Field& field) {
  std::vector<MissingData> result;
  std::set<std::string> targets;
  for (const Field& item : field.items(6)) {
    item.object();
    for (const char* key : {"target", "action"})
      if (!item[key].present()) item[key].refuse("is required");
    MissingData missing;
    missing.target = item["target"].one_of(
        "latency", {"cpuUtilization", "memoryUtilization", "requestsPerSecond", "concurrency",
                    "sessions", "latency"});
    const std::string action = item["action"].one_of("Hold", {"Hold", "LastKnownGood", "Fail"});
    if (action == "LastKnownGood") missing.action = MissingAction::LastKnownGood;
    if (action == "Fail") missing.action = MissingAction::Fail;
    missing.max_age = item["maxAge"].duration(minutes(5), seconds(1), hours(24));
    if (!targets.insert(missing.target).second)
      item["target"].refuse("must be unique, and \"" + missing.target + "\" is there twice");
    result.push_back(std::move(missing));
  }
  return result;
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

std::string decode_metric(const Field& field) {
  std::string metric = required(field, 253);
  if (std::ranges::find(kRuleMetrics, metric) != kRuleMetrics.end()) return metric;
  std::string known;
  for (std::string_view name : kRuleMetrics)
    known += (known.empty() ? "" : ", ") + std::string(name);
  field.refuse("must be one of " + known + ", not \"" + metric + "\"");
  return metric;
}

Rule decode_rule(const Field& field, std::set<std::string>& names) {
  field.object();
  Rule rule;
  rule.name = unique_name(field["name"], names);
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
  for (const Field& item : field.items(32)) rules.push_back(decode_rule(item, names));
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

bool recommends(const Autoscaling& autoscaling) {
  return !autoscaling.rules.empty() || autoscaling.targets.latency || autoscaling.panic ||
         !autoscaling.schedule.empty() || autoscaling.forecast;
}

bool wants_hpa(const Autoscaling& autoscaling) {
  return autoscaling.mode == ScalingMode::Active && autoscaling.actuator == Actuator::Hpa;
}

bool decides(const Autoscaling& autoscaling) {
  return recommends(autoscaling) || !wants_hpa(autoscaling);
}

std::optional<Autoscaling> decode_autoscaling(const Field& field) {
  if (!field.object()) return std::nullopt;
  Autoscaling result;
  const std::string mode = field["mode"].one_of("Active", {"Active", "DryRun", "Paused"});
  if (mode == "DryRun") result.mode = ScalingMode::DryRun;
  if (mode == "Paused") result.mode = ScalingMode::Paused;
  if (field["actuator"].one_of("HPA", {"HPA", "Operator"}) == "Operator")
    result.actuator = Actuator::Operator;
  result.min_replicas = field["minReplicas"].integer(3, 1, kMaxReplicas);
  result.max_replicas = field["maxReplicas"].integer(50, 1, kMaxReplicas);
  if (result.min_replicas > result.max_replicas)
    field["minReplicas"].refuse(
        "must not be greater than maxReplicas (" + std::to_string(result.min_replicas) + " > " +
        std::to_string(result.max_replicas) + "; they default to 3 and 50)");
  result.targets = decode_targets(field["targets"]);
  result.panic = decode_panic(field["panic"]);
  result.schedule = decode_schedule(field["schedule"]);
  result.forecast = decode_forecast(field["forecast"]);
  result.missing_data = decode_missing_data(field["missingData"]);
  result.rules = decode_rules(field["rules"]);
  result.behavior = decode_behavior(field["behavior"]);
  if (result.targets == Targets{} && result.rules.empty())
    field["targets"].refuse("must name at least one target where there are no rules");
  return result;
}

}  // namespace mcpfleet::fleet
