#include "tools/kubectl-mcp/drivers.h"

#include <algorithm>
#include <utility>

#include "tools/kubectl-mcp/value_text.h"

namespace mcpfleet::kubectl {
namespace {

constexpr const char* kAReplica = " a replica";

const char* symbol(fleet::Operator op) {
  switch (op) {
    case fleet::Operator::Greater:
      return "> ";
    case fleet::Operator::Less:
      return "< ";
    case fleet::Operator::GreaterOrEqual:
      return ">= ";
    case fleet::Operator::LessOrEqual:
      break;
  }
  return "<= ";
}

// What the status has of a metric, or nullptr.
const fleet::MetricReading* stored(const Explanation& explanation, const std::string& name) {
  const auto& scaling = explanation.server.status.scaling;
  if (!scaling) return nullptr;
  const auto found = std::ranges::find(scaling->metrics, name, &fleet::MetricReading::name);
  return found == scaling->metrics.end() ? nullptr : &*found;
}

void set_live(const Explanation& explanation, const MetricKey& key, Driver& driver) {
  const auto found = explanation.live.find(key);
  if (found == explanation.live.end()) return;
  const LiveValue& live = found->second;
  if (!live.value) {
    driver.missing = live.why;
    return;
  }
  driver.value = metric_text(key.metric, *live.value);
  driver.age = age_of(live.time, explanation.now);
}

// A target that each replica shall carry; the metric is of all of them together.
Driver load(const Explanation& explanation, const char* name, const char* metric,
            std::int64_t target_milli) {
  Driver driver{.name = name};
  driver.target = number_text(static_cast<double>(target_milli) / 1000.0) + kAReplica;
  set_live(explanation, {metric, ""}, driver);
  const int ready = explanation.server.status.ready_replicas;
  if (driver.value.empty() || ready == 0) return driver;
  const double all = *explanation.live.at({metric, ""}).value;
  const std::string whole = ready == 1 ? "" : " (" + driver.value + " in all)";
  driver.value = number_text(all / ready) + kAReplica + whole;
  return driver;
}

// Of CPU and memory only the HorizontalPodAutoscaler knows, or the operator in its place.
Driver utilization(const Explanation& explanation, const char* name, const char* resource,
                   int percent, bool requested) {
  Driver driver{.name = name, .target = std::to_string(percent) + "%"};
  if (!requested && !explanation.server.workload_ref) {
    driver.detail = std::string("not measured: the server's container requests no ") + resource;
    return driver;
  }
  if (explanation.hpa) {
    const auto& metrics = explanation.hpa->hpa.metrics;
    const auto found = std::ranges::find(metrics, resource, &desired::HpaMetric::name);
    if (found != metrics.end()) driver.value = found->current;
  }
  if (const auto* reading = stored(explanation, resource);
      driver.value.empty() && reading != nullptr) {
    driver.value = reading->current;
  }
  if (driver.value.empty()) {
    driver.missing = std::string("nothing has told the ") + resource +
                     " of its pods yet; it comes from metrics.k8s.io (metrics-server)";
  }
  return driver;
}

std::string amount_text(const fleet::Amount& amount) {
  if (amount.percent) return std::to_string(*amount.percent) + "%";
  const int pods = amount.pods.value_or(1);
  return std::to_string(pods) + (pods == 1 ? " replica" : " replicas");
}

std::string subject(const fleet::Rule& rule) {
  return rule.metric + (rule.tool.empty() ? "" : " of tool " + rule.tool);
}

// The average over its window, as the status has it: several rules may look at one metric.
std::string average(const Explanation& explanation, const fleet::Rule& rule,
                    const std::string& target) {
  const auto& scaling = explanation.server.status.scaling;
  if (!scaling) return {};
  for (const auto& reading : scaling->metrics) {
    if (reading.name == subject(rule) && stored_text(rule.metric, reading.target) == target) {
      return reading.current.empty() ? "" : stored_text(rule.metric, reading.current);
    }
  }
  return {};
}

std::string last_firing(const Explanation& explanation, const fleet::Rule& rule) {
  const auto& scaling = explanation.server.status.scaling;
  if (!scaling || !scaling->last_fired.contains(rule.name)) return "has not fired yet";
  return "last fired " + age_text(age_of(scaling->last_fired.at(rule.name), explanation.now)) +
         " ago";
}

Driver rule_driver(const Explanation& explanation, const fleet::Rule& rule) {
  Driver driver{.name = "rule " + rule.name,
                .target = symbol(rule.op) + metric_text(rule.metric, rule.threshold)};
  const bool up = rule.action == fleet::Action::ScaleUp;
  const std::string seen = average(explanation, rule, driver.target);
  driver.detail = subject(rule) + (seen.empty() ? ", averaged" : " averaged " + seen) + " over " +
                  span_text(rule.window) + "; moves " + (up ? "up" : "down") + " by " +
                  amount_text(rule.amount) + ", at most once in " + span_text(rule.cooldown) +
                  "; " + last_firing(explanation, rule);
  set_live(explanation, {rule.metric, rule.tool}, driver);
  return driver;
}

Driver latency(const Explanation& explanation, const fleet::LatencyTarget& target) {
  const std::string metric = latency_metric(target.quantile);
  Driver driver{.name = "latency " + metric.substr(metric.rfind('_') + 1),
                .target = span_text(target.value),
                .detail =
                    "calls in flight a replica carries within it are learnt; latency itself "
                    "does not move the replicas"};
  set_live(explanation, {metric, ""}, driver);
  return driver;
}

void add_targets(const Explanation& explanation, std::vector<Driver>& result) {
  const auto& server = explanation.server;
  const auto& targets = server.autoscaling->targets;
  if (targets.cpu_utilization) {
    result.push_back(utilization(explanation, "cpuUtilization", "cpu", *targets.cpu_utilization,
                                 server.runtime.requests_cpu));
  }
  if (targets.memory_utilization) {
    result.push_back(utilization(explanation, "memoryUtilization", "memory",
                                 *targets.memory_utilization, server.runtime.requests_memory));
  }
  if (targets.requests_per_second_milli) {
    result.push_back(load(explanation, "requestsPerSecond", "mcp_requests_per_second",
                          *targets.requests_per_second_milli));
  }
  if (targets.concurrency_milli) {
    result.push_back(
        load(explanation, "concurrency", "mcp_requests_in_flight", *targets.concurrency_milli));
  }
  if (targets.sessions_milli) {
    result.push_back(load(explanation, "sessions", "mcp_active_sessions", *targets.sessions_milli));
  }
  if (targets.latency) result.push_back(latency(explanation, *targets.latency));
}

void add_others(const fleet::Autoscaling& autoscaling, std::vector<Driver>& result) {
  if (autoscaling.panic) {
    const auto& panic = *autoscaling.panic;
    result.push_back({.name = "panic",
                      .target = std::to_string(panic.threshold_percent) + "% of the targets",
                      .detail = "over " + span_text(panic.window) + ", beside " +
                                span_text(panic.stable_window) + " otherwise"});
  }
  for (const auto& entry : autoscaling.schedule) {
    std::string detail = "from \"" + entry.start + "\" (UTC) on, for " + span_text(entry.duration);
    if (entry.ramp > Duration(0)) detail += ", rising for " + span_text(entry.ramp) + " before";
    result.push_back({.name = "schedule " + entry.name,
                      .target = "at least " + std::to_string(entry.min_replicas),
                      .detail = std::move(detail)});
  }
  if (autoscaling.forecast) {
    result.push_back({.name = "forecast",
                      .detail = "what came " + span_text(autoscaling.forecast->season) +
                                " ago is expected again, " +
                                span_text(autoscaling.forecast->lookahead) + " ahead"});
  }
}

}  // namespace

std::vector<Driver> drivers(const Explanation& explanation) {
  std::vector<Driver> result;
  const auto& autoscaling = explanation.server.autoscaling;
  if (!autoscaling) return result;
  add_targets(explanation, result);
  for (const auto& rule : autoscaling->rules) result.push_back(rule_driver(explanation, rule));
  add_others(*autoscaling, result);
  return result;
}

}  // namespace mcpfleet::kubectl
