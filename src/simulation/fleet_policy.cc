#include "simulation/fleet_policy.h"

#include <algorithm>
#include <utility>

#include "simulation/times.h"

namespace mcpfleet::simulation {
namespace {

using scaling::Actuator;
using scaling::Measurement;
using scaling::Signal;

// The adapter's window of rates, and the one that the operator asks it for.
constexpr std::int64_t kWindow = 30;
constexpr std::int64_t kRateWindow = 3;

double share_of(scaling::Quantile quantile) {
  if (quantile == scaling::Quantile::P50) return 0.5;
  return quantile == scaling::Quantile::P95 ? 0.95 : 0.99;
}

}  // namespace

FleetPolicy::FleetPolicy(FleetSettings settings, const PodShape& pod)
    : settings_(std::move(settings)), pod_(pod) {
  const scaling::Policy& policy = settings_.policy;
  recommends_ = policy.actuator == Actuator::Operator || !settings_.autoscaling.rules.empty() ||
                policy.panic || policy.targets.latency || !policy.schedules.empty() ||
                policy.forecast;
  if (!recommends_) {
    // The HPA does it all: nothing has to be looked at between its syncs.
    period_ = settings_.hpa->period();
    phase_ = settings_.hpa->phase();
  }
}

scaling::Facts FleetPolicy::facts(const Seen& seen) const {
  const scaling::PodTargets& targets = settings_.policy.targets;
  scaling::Facts facts;
  facts.now = time_of(seen.second);
  facts.pods = {
      .wanted = seen.replicas, .ready = seen.ready, .starting = seen.replicas - seen.ready};
  const Load window = seen.history.average(seen.second - kWindow, seen.second);
  const Load last = seen.history.average(seen.second - 1, seen.second);
  if (targets.requests_per_second || targets.latency)
    facts[Signal::RequestsPerSecond] =
        Measurement::of(seen.history.average(seen.second - kRateWindow, seen.second).ended,
                        facts.now, 0, std::chrono::seconds(kRateWindow));
  // Panic is judged by the calls in flight where no target asks for them.
  facts[Signal::Concurrency] = Measurement::of(last.in_flight, facts.now);
  if (targets.latency) {
    facts[Signal::Latency] =
        seen.waits.ended() > 0
            ? Measurement::of(seen.latency(share_of(targets.latency->quantile)), facts.now)
            : Measurement::idle(facts.now);
  }
  if (targets.cpu_utilization && last.pods > 0)
    facts[Signal::CpuUtilization] = Measurement::of(
        window.busy / std::max(1.0, window.pods) / pod_.concurrency * pod_.cpu_percent, facts.now);
  return facts;
}

scaling::Sample FleetPolicy::sample(const fleet::Rule& rule, const Seen& seen) const {
  using scaling::Sample;
  const Load window = seen.history.average(seen.second - kWindow, seen.second);
  if (rule.metric == "mcp_requests_per_second") return Sample::of(window.ended);
  if (rule.metric == "mcp_requests_in_flight")
    return Sample::of(seen.history.average(seen.second - 1, seen.second).in_flight);
  if (rule.metric == "mcp_active_sessions") return Sample::missing("sessions are not simulated");
  if (window.ended <= 0) return Sample::idle();
  if (rule.metric == "mcp_error_ratio") return Sample::of(window.lost / window.ended);
  if (rule.metric.ends_with("_p50")) return Sample::of(seen.latency(0.5));
  if (rule.metric.ends_with("_p95")) return Sample::of(seen.latency(0.95));
  if (rule.metric.ends_with("_p99")) return Sample::of(seen.latency(0.99));
  return Sample::of(pod_.service_seconds + window.wait / window.ended);
}

int FleetPolicy::rules_floor(const Seen& seen, WallTime now) {
  const fleet::Autoscaling& autoscaling = settings_.autoscaling;
  if (autoscaling.rules.empty()) return 0;
  for (const fleet::Rule& rule : autoscaling.rules)
    rules_.record(autoscaling, rule.metric, rule.tool, sample(rule, seen), now);
  return rules_.evaluate(autoscaling, seen.replicas, now).floor;
}

int FleetPolicy::decide(const Seen& seen) {
  if (!recommends_) return settings_.hpa->decide(seen);
  const scaling::Facts facts = this->facts(seen);
  const int floor = rules_floor(seen, facts.now);
  scaler_.observe(settings_.policy, facts);
  if (!settings_.hpa) {
    if (seen.second % kLoop != 0) return seen.replicas;
    return scaler_.decide(settings_.policy, facts, floor).replicas;
  }
  settings_.hpa->set_floor(scaler_.decide(settings_.policy, facts, floor).replicas);
  const bool sync = seen.second % settings_.hpa->period() == settings_.hpa->phase();
  return sync ? settings_.hpa->decide(seen) : seen.replicas;
}

}  // namespace mcpfleet::simulation
