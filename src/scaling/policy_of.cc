#include "scaling/policy_of.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "scaling/hpa_decode.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;

std::optional<double> from_milli(std::optional<std::int64_t> milli) {
  if (!milli) return std::nullopt;
  return static_cast<double>(*milli) / 1000;
}

std::optional<double> from_percent(std::optional<int> percent) {
  if (!percent) return std::nullopt;
  return static_cast<double>(*percent);
}

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Quantile quantile_of(fleet::Quantile quantile) {
  switch (quantile) {
    case fleet::Quantile::P50:
      return Quantile::P50;
    case fleet::Quantile::P95:
      return Quantile::P95;
    case fleet::Quantile::P99:
      return Quantile::P99;
  }
  return Quantile::P95;
}

PodTargets targets_of(const fleet::Targets& targets) {
  PodTargets result{.requests_per_second = from_milli(targets.requests_per_second_milli),
                    .concurrency = from_milli(targets.concurrency_milli),
                    .sessions = from_milli(targets.sessions_milli),
                    .cpu_utilization = from_percent(targets.cpu_utilization),
                    .memory_utilization = from_percent(targets.memory_utilization),
                    .latency = std::nullopt};
  if (targets.latency)
    result.latency =
        LatencyTarget{quantile_of(targets.latency->quantile), in_seconds(targets.latency->value)};
  return result;
}

// The names of the fields of spec.autoscaling.targets.
constexpr std::array<std::pair<std::string_view, Signal>, kSignals> kTargetFields{{
    {"requestsPerSecond", Signal::RequestsPerSecond},
    {"concurrency", Signal::Concurrency},
    {"sessions", Signal::Sessions},
    {"latency", Signal::Latency},
    {"cpuUtilization", Signal::CpuUtilization},
    {"memoryUtilization", Signal::MemoryUtilization},
}};

MissingData::Then then_of(fleet::MissingAction action) {
  switch (action) {
    case fleet::MissingAction::Hold:
      return MissingData::Then::Hold;
    case fleet::MissingAction::LastKnownGood:
      return MissingData::Then::LastKnownGood;
    case fleet::MissingAction::Fail:
      return MissingData::Then::Fail;
  }
  return MissingData::Then::Hold;
}

void set_missing_data(const fleet::Autoscaling& autoscaling, Policy& policy) {
  for (const auto& missing : autoscaling.missing_data)
    for (const auto& [field, signal] : kTargetFields)
      if (field == missing.target) {
        auto& of_signal = policy.missing_data[index(signal)];
        of_signal.then = then_of(missing.action);
        of_signal.last_good_for = missing.max_age;
      }
}

DirectionBehavior direction_of(const HpaScalingRules& rules, DirectionBehavior result) {
  result.stabilization = rules.window.value_or(result.stabilization);
  result.tolerance = rules.tolerance.value_or(result.tolerance);
  if (rules.select == HpaSelect::Min) result.select = DirectionBehavior::Select::Min;
  if (rules.select == HpaSelect::Disabled) result.select = DirectionBehavior::Select::Disabled;
  result.policies.clear();
  for (const HpaPolicy& policy : rules.policies)
    result.policies.push_back(
        {policy.type == HpaPolicy::Type::Pods ? RatePolicy::Type::Pods : RatePolicy::Type::Percent,
         policy.value, policy.period});
  return result;
}

std::vector<Schedule> schedules_of(const fleet::Autoscaling& autoscaling) {
  std::vector<Schedule> schedules;
  for (const auto& entry : autoscaling.schedule)
    if (auto cron = Cron::parse(entry.start))
      schedules.push_back({entry.name, *cron, entry.duration, entry.min_replicas, entry.ramp});
  return schedules;
}

}  // namespace

Behavior behavior_of(const fleet::RawJson& behavior) {
  const auto decoded = decode_hpa_behavior(behavior);
  Behavior result;
  if (!decoded) return result;
  result.up = direction_of(decoded->up, result.up);
  result.down = direction_of(decoded->down, result.down);
  return result;
}

Policy policy_of(const fleet::Autoscaling& autoscaling) {
  Policy policy;
  policy.min_replicas = autoscaling.min_replicas;
  policy.max_replicas = autoscaling.max_replicas;
  if (autoscaling.mode == fleet::ScalingMode::DryRun) policy.mode = Mode::DryRun;
  if (autoscaling.mode == fleet::ScalingMode::Paused) policy.mode = Mode::Paused;
  policy.actuator = fleet::wants_hpa(autoscaling) ? Actuator::Hpa : Actuator::Operator;
  policy.targets = targets_of(autoscaling.targets);
  if (autoscaling.panic)
    policy.panic = Panic{autoscaling.panic->window, autoscaling.panic->stable_window,
                         static_cast<double>(autoscaling.panic->threshold_percent)};
  else if (autoscaling.actuator == fleet::Actuator::Operator)
    policy.panic = Panic{};
  policy.schedules = schedules_of(autoscaling);
  if (autoscaling.forecast)
    policy.forecast = Forecast{autoscaling.forecast->season, autoscaling.forecast->lookahead};
  set_missing_data(autoscaling, policy);
  policy.behavior = behavior_of(autoscaling.behavior);
  return policy;
}

}  // namespace mcpfleet::scaling
