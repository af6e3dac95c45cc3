#include "simulation/contestant.h"

#include <algorithm>
#include <string>
#include <utility>

#include "simulation/fleet_policy.h"
#include "simulation/hpa_policy.h"
#include "simulation/keda.h"
#include "simulation/knative.h"
#include "simulation/random.h"

namespace mcpfleet::simulation {
namespace {

using scaling::HpaMetric;
using scaling::HpaSource;
using scaling::HpaSpec;
using scaling::HpaTarget;

// What rivals aim at where the MCPServer says nothing of it: this share of what a pod can do.
constexpr double kUsual = 0.7;

HpaSpec rival_spec(const Limits& limits, std::vector<HpaMetric> metrics) {
  // No behavior: what an HPA does unless its author says otherwise.
  return {std::max(1, limits.min_replicas), limits.max_replicas, std::move(metrics), std::nullopt};
}

std::int64_t thousandths(double value) {
  return std::max(std::int64_t{1}, static_cast<std::int64_t>(value * 1000));
}

// The signals of a rival that reads what ours reads, and with the same targets.
std::vector<HpaSignal> rival_signals(const fleet::Targets& targets, const Pipeline& rates) {
  // A gauge is what the last scrape saw.
  Pipeline gauge = rates;
  gauge.window = 1;
  std::vector<HpaSignal> signals;
  if (targets.requests_per_second_milli || !targets.concurrency_milli)
    signals.push_back({HpaSignal::Kind::Rate, rates});
  if (targets.concurrency_milli) signals.push_back({HpaSignal::Kind::InFlight, gauge});
  return signals;
}

std::vector<HpaMetric> rival_metrics(const fleet::Targets& targets, const PodShape& pod,
                                     HpaSource source) {
  std::vector<HpaMetric> metrics;
  const auto add = [&](const char* name, std::int64_t milli) {
    metrics.push_back(
        {.source = source, .name = name, .target = HpaTarget::AverageValue, .amount = milli});
  };
  if (targets.requests_per_second_milli || !targets.concurrency_milli)
    add("mcp_requests_per_second",
        targets.requests_per_second_milli.value_or(thousandths(kUsual * pod.rate())));
  if (targets.concurrency_milli) add("mcp_requests_in_flight", *targets.concurrency_milli);
  return metrics;
}

// Prometheus: rate() over twice the scrape interval, the shortest that works, has two samples, so
// that a value is the mean of one interval.
Pipeline prometheus(int interval, int phase) {
  return {.every = interval, .window = interval, .phase = phase % interval, .delay = 1};
}

HpaPolicy cpu_policy(const fleet::Targets& targets, const Workload& workload, int resolution,
                     int scrape, int sync) {
  const HpaMetric cpu{.amount = targets.cpu_utilization.value_or(70)};
  return {rival_spec(workload.limits, {cpu}),
          {{HpaSignal::Kind::Cpu, prometheus(resolution, scrape)}},
          workload.pod,
          sync};
}

double knative_target(const fleet::Targets& targets, const PodShape& pod) {
  if (targets.concurrency_milli) return static_cast<double>(*targets.concurrency_milli) / 1000;
  // By Little's law as many calls in flight as the rate that is aimed at.
  if (targets.requests_per_second_milli)
    return static_cast<double>(*targets.requests_per_second_milli) / 1000 * pod.service_seconds;
  return kUsual * pod.concurrency;
}

std::unique_ptr<ReplicaPolicy> rival(std::string_view name, const fleet::Targets& targets,
                                     const Workload& workload, const Phases& phases, int replicas) {
  const PodShape& pod = workload.pod;
  const auto cpu = [&](int resolution) {
    return std::make_unique<HpaPolicy>(
        cpu_policy(targets, workload, resolution, phases.scrape, phases.sync));
  };
  const auto custom = [&](int interval, HpaSource source) {
    return HpaPolicy(rival_spec(workload.limits, rival_metrics(targets, pod, source)),
                     rival_signals(targets, prometheus(interval, phases.scrape)), pod, phases.sync);
  };
  if (name == "hpa-cpu-15s") return cpu(15);
  if (name == "hpa-cpu-60s") return cpu(60);
  for (const int interval : {15, 30, 60})
    if (name == "hpa-prometheus-" + std::to_string(interval) + "s")
      return std::make_unique<HpaPolicy>(custom(interval, HpaSource::Pods));
  if (name == "keda")
    return std::make_unique<KedaPolicy>(custom(30, HpaSource::External),
                                        prometheus(30, phases.scrape), phases.poll);
  KnativeSettings settings;
  settings.target = knative_target(targets, pod);
  settings.limits = workload.limits;
  return std::make_unique<KnativePolicy>(settings, replicas);
}

}  // namespace

const std::vector<Contestant>& contestants() {
  static const std::vector<Contestant> all{
      {"mcpfleet-hpa", Side::Ours, "this MCPServer, actuator HPA"},
      {"mcpfleet-operator", Side::Ours, "this MCPServer, actuator Operator"},
      {"mcpfleet-quick", Side::Ours, "actuator Operator, up as an HPA without behavior"},
      {"hpa-cpu-15s", Side::Rival, "HPA on CPU, metrics-server each 15 s"},
      {"hpa-cpu-60s", Side::Rival, "HPA on CPU, metrics-server each 60 s"},
      {"hpa-prometheus-15s", Side::Rival, "HPA and prometheus-adapter, scrapes each 15 s"},
      {"hpa-prometheus-30s", Side::Rival, "HPA and prometheus-adapter, scrapes each 30 s"},
      {"hpa-prometheus-60s", Side::Rival, "HPA and prometheus-adapter, scrapes each 60 s"},
      {"keda", Side::Rival, "KEDA with Prometheus, scrapes each 30 s; may go to zero"},
      {"knative", Side::Rival, "Knative's KPA"},
      {"constant", Side::Bound, "always what the oracle has at the peak"},
      {"oracle", Side::Bound, "the least that holds the objective, known beforehand"},
  };
  return all;
}

const Contestant* find_contestant(std::string_view name) {
  for (const Contestant& who : contestants())
    if (name == who.name) return &who;
  return nullptr;
}

Phases draw_phases(std::uint64_t seed) {
  Random random(seed);
  const auto draw = [&](int below) { return static_cast<int>(random.uniform() * below); };
  const int sync = draw(15);
  const int scrape = draw(60);
  return {sync, scrape, draw(30)};
}

Result<std::unique_ptr<ReplicaPolicy>> make_policy(const Contestant& who,
                                                   const fleet::MCPServer& server,
                                                   const Workload& workload, const Phases& phases,
                                                   int replicas) {
  if (who.side == Side::Bound)
    return fail(ErrorKind::Invalid, std::string(who.name) + " has to know the trace beforehand");
  if (who.side == Side::Rival) {
    const fleet::Targets none;
    return rival(who.name, server.autoscaling ? server.autoscaling->targets : none, workload,
                 phases, replicas);
  }
  const std::string_view name = who.name;
  auto settings = fleet_settings(
      server, name == "mcpfleet-hpa" ? scaling::Actuator::Hpa : scaling::Actuator::Operator,
      workload.pod, phases.sync);
  if (!settings) return fail(settings.error());
  if (name == "mcpfleet-quick") settings->policy.behavior.up = scaling::Behavior{}.up;
  return std::make_unique<FleetPolicy>(std::move(*settings), workload.pod);
}

}  // namespace mcpfleet::simulation
