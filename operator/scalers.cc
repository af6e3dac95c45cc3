#include "operator/scalers.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "desired/reasons.h"
#include "scaling/explain.h"
#include "scaling/messages.h"
#include "scaling/policy_of.h"

namespace mcpfleet::op {
namespace {

// A watch tells of a write sooner; a write that came to nothing is made again after it.
constexpr std::chrono::seconds kWrittenCounts{10};

const char* text(fleet::ScalingMode mode) {
  switch (mode) {
    case fleet::ScalingMode::Active:
      return "Active";
    case fleet::ScalingMode::DryRun:
      return "DryRun";
    case fleet::ScalingMode::Paused:
      return "Paused";
  }
  return "Active";
}

// Nothing but the rules decides: their own decisions say all.
bool rules_only(const fleet::Autoscaling& autoscaling) {
  return fleet::wants_hpa(autoscaling) && !autoscaling.targets.latency && !autoscaling.panic &&
         autoscaling.schedule.empty() && !autoscaling.forecast;
}

// Targets that cannot be measured are left out, as of an HPA (the status says so): data that never
// comes would keep the replicas from going down for ever.
fleet::Autoscaling measurable(const fleet::MCPServer& server) {
  fleet::Autoscaling autoscaling = *server.autoscaling;
  if (server.workload_ref || !server.runtime.requests_cpu)
    autoscaling.targets.cpu_utilization.reset();
  if (server.workload_ref || !server.runtime.requests_memory)
    autoscaling.targets.memory_utilization.reset();
  return autoscaling;
}

const fleet::Decision* rules_decision(const std::optional<fleet::Decision>& decision) {
  return decision ? &*decision : nullptr;
}

std::string target_text(const scaling::Policy& policy, const std::string& metric) {
  for (std::size_t i = 0; i < scaling::kSignals; ++i) {
    const auto signal = static_cast<scaling::Signal>(i);
    if (metric_name(policy, signal) != metric) continue;
    if (signal == scaling::Signal::Latency && policy.targets.latency)
      return scaling::format_value(policy.targets.latency->seconds);
    const double target = policy.targets.of(signal);
    return target > 0 ? scaling::format_value(target) : std::string();
  }
  return {};
}

fleet::ScalingDecision to_status(const scaling::Policy& policy,
                                 const scaling::LoggedDecision& entry) {
  fleet::ScalingDecision decision{.time = std::chrono::floor<std::chrono::seconds>(entry.since),
                                  .from = entry.from,
                                  .to = entry.to,
                                  .by = entry.by,
                                  .rule = entry.rule,
                                  .reason = entry.reason,
                                  .message = entry.message,
                                  .limits = entry.limits};
  for (const auto& input : entry.inputs)
    decision.inputs.push_back(
        {input.metric, scaling::format_value(input.value), target_text(policy, input.metric),
         static_cast<int>(std::chrono::floor<std::chrono::seconds>(input.age).count())});
  return decision;
}

// Both leave the replicas as they are, and for the same reason.
bool alike(const fleet::ScalingDecision& a, const fleet::ScalingDecision& b) {
  return a.from == a.to && b.from == b.to && a.to == b.to && a.by == b.by && a.reason == b.reason;
}

// The newest first: of this life, then of the life before.
std::vector<fleet::ScalingDecision> decisions_of(
    const scaling::Policy& policy, const scaling::DecisionLog& log,
    const std::vector<fleet::ScalingDecision>& stored) {
  std::vector<fleet::ScalingDecision> decisions;
  for (const auto& entry : std::views::reverse(log.entries()))
    decisions.push_back(to_status(policy, entry));
  // A restart is no decision.
  const bool goes_on =
      !decisions.empty() && !stored.empty() && alike(decisions.back(), stored.front());
  if (goes_on) decisions.pop_back();
  decisions.insert(decisions.end(), stored.begin(), stored.end());
  // How it is now, and what changed it: what stayed in between says nothing more.
  if (!decisions.empty())
    decisions.erase(
        std::remove_if(decisions.begin() + 1, decisions.end(),
                       [](const auto& decision) { return decision.from == decision.to; }),
        decisions.end());
  if (decisions.size() > fleet::kMaxDecisions) decisions.resize(fleet::kMaxDecisions);
  return decisions;
}

std::optional<desired::Limit> limit_of(const fleet::Autoscaling& autoscaling,
                                       const scaling::Policy& policy,
                                       const scaling::Evaluation& rules,
                                       const scaling::Verdict& verdict) {
  if (rules.limited)
    return desired::Limit{desired::kAtMaximum, "a rule wants more than maxReplicas " +
                                                   std::to_string(autoscaling.max_replicas)};
  std::string sentence = limitation(policy, verdict);
  if (sentence.empty()) return std::nullopt;
  return desired::Limit{verdict.unattainable ? desired::kUnattainable : desired::kAtMaximum,
                        std::move(sentence)};
}

}  // namespace

void Scalers::evaluate_rules(Entry& entry, const fleet::MCPServer& server, int observed,
                             WallTime now) {
  entry.last = {};
  if (server.autoscaling->rules.empty()) return;
  entry.last = entry.rules.evaluate(*server.autoscaling, observed, now);
  if (!entry.last.decision) return;
  const auto& outcomes = entry.last.outcomes;
  const auto found = std::ranges::find_if(
      outcomes, [&](const auto& outcome) { return outcome.rule == entry.last.decision->rule; });
  entry.cause = found == outcomes.end() ? std::nullopt : std::optional(*found);
}

void Scalers::decide(Entry& entry, const fleet::MCPServer& server, const scaling::Facts& facts) {
  entry.generation = server.generation;
  entry.verdict = entry.scaler.decide(entry.policy, facts, entry.last.floor);
}

Scalers::Entry& Scalers::entry_of(const fleet::MCPServer& server, const Replicas& replicas,
                                  WallTime now) {
  auto& entry = entries_[fleet::key(server)];
  if (entry.uid == server.uid && entry.generation == server.generation) return entry;
  if (entry.uid != server.uid) {
    entry = Entry{};
    entry.uid = server.uid;
    entry.stored = server.status.scaling.value_or(fleet::ScalingStatus{});
    entry.rules = scaling::AutoScaler(entry.stored);
    entry.scaler = scaling::Scaler(entry.stored);
  }
  entry.policy = scaling::policy_of(measurable(server));
  evaluate_rules(entry, server, replicas.observed, now);
  scaling::Facts facts;
  facts.now = now;
  facts.pods = replicas.pods;
  decide(entry, server, facts);
  return entry;
}

fleet::ScalingStatus Scalers::status_of(const Entry& entry, const fleet::MCPServer& server) {
  const auto& autoscaling = *server.autoscaling;
  fleet::ScalingStatus status;
  if (!autoscaling.rules.empty()) status = entry.rules.status();
  status.recommended_replicas = entry.verdict.replicas;
  status.mode = text(autoscaling.mode);
  status.decisions = decisions_of(entry.policy, entry.log, entry.stored.decisions);
  if (autoscaling.mode == fleet::ScalingMode::DryRun)
    status.would_be = entry.noted ? entry.verdict.advised : entry.stored.would_be;
  if (rules_only(autoscaling)) return status;
  status.last_decision = entry.last_change ? entry.last_change : entry.stored.last_decision;
  return status;
}

ScalingView Scalers::view(const fleet::MCPServer& server, const Replicas& replicas, WallTime now) {
  std::lock_guard lock(mutex_);
  const Entry& entry = entry_of(server, replicas, now);
  return {status_of(entry, server),
          entry.last.readings,
          entry.last.problems,
          entry.metric_problems,
          limit_of(*server.autoscaling, entry.policy, entry.last, entry.verdict),
          entry.cause};
}

std::optional<scaling::LoggedDecision> Scalers::note(Entry& entry) {
  entry.noted = true;
  const auto rules = entry.rules.status().last_decision;
  const auto noted = entry.log.note(entry.policy, entry.verdict, rules_decision(rules));
  if (noted == scaling::Noted::Nothing) return std::nullopt;
  const auto& begun = entry.log.entries().back();
  if (begun.acted && begun.from != begun.to) entry.last_change = to_decision(begun);
  return begun;
}

Ticked Scalers::tick(const fleet::MCPServer& server, Tick tick, const Replicas& replicas,
                     WallTime now) {
  std::lock_guard lock(mutex_);
  Entry& entry = entry_of(server, replicas, now);
  const auto rules_before = entry.rules.status();
  const bool well_before = entry.last.problems.empty() && entry.metric_problems.empty();
  const auto verdict_before = entry.verdict;

  tick.facts.now = now;
  tick.facts.pods = replicas.pods;
  if (entry.written &&
      (replicas.pods.wanted != entry.written->before || now > entry.written->until))
    entry.written.reset();
  if (entry.written) tick.facts.pods.wanted = entry.written->replicas;
  for (const auto& reading : tick.measured)
    entry.rules.record(*server.autoscaling, reading.metric, reading.tool, reading.sample, now);
  evaluate_rules(entry, server, replicas.observed, now);
  entry.scaler.observe(entry.policy, tick.facts);
  decide(entry, server, tick.facts);
  entry.metric_problems.clear();
  if (auto missing = missing_data(entry.policy, tick.facts, entry.verdict); !missing.empty())
    entry.metric_problems.push_back(missing +
                                    (tick.why_missing.empty() ? "" : ": " + tick.why_missing));

  Ticked result;
  result.begun = note(entry);
  result.advised = entry.verdict.advised;
  const bool well = entry.last.problems.empty() && entry.metric_problems.empty();
  result.tell = result.begun || entry.rules.status() != rules_before || well != well_before ||
                entry.verdict.replicas != verdict_before.replicas ||
                entry.verdict.unattainable != verdict_before.unattainable ||
                entry.verdict.limited != verdict_before.limited;
  if (entry.policy.actuator == scaling::Actuator::Operator && entry.verdict.acts &&
      entry.verdict.replicas != tick.facts.pods.wanted)
    result.write = entry.verdict.replicas;
  return result;
}

void Scalers::recall(const fleet::MCPServer& server, scaling::Signal signal,
                     const std::vector<PastMinute>& minutes, const Replicas& replicas,
                     WallTime now) {
  std::lock_guard lock(mutex_);
  Entry& entry = entry_of(server, replicas, now);
  for (const auto& minute : minutes)
    entry.scaler.recall(entry.policy, signal, minute.at, minute.mean);
}

void Scalers::wrote(const std::string& key, int before, int replicas, WallTime now) {
  std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end())
    found->second.written = Written{before, replicas, now + kWrittenCounts};
}

void Scalers::forget(const std::string& key) {
  std::lock_guard lock(mutex_);
  entries_.erase(key);
}

}  // namespace mcpfleet::op
