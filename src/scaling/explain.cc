#include "scaling/explain.h"

#include <array>
#include <cmath>

#include "base/time_text.h"
#include "scaling/autoscaler.h"

namespace mcpfleet::scaling {
namespace {

// Three significant digits, and all digits before the point.
std::string figure(double value) {
  if (value == 0 || !std::isfinite(value)) return format_value(value);
  const double scale = std::pow(10.0, std::min(std::floor(std::log10(std::fabs(value))) - 2, 0.0));
  return format_value(std::round(value / scale) * scale);
}

bool is_percent(Signal signal) {
  return signal == Signal::CpuUtilization || signal == Signal::MemoryUtilization;
}

std::string figure(Signal signal, double value) {
  const char* unit = is_percent(signal) ? "%" : signal == Signal::Latency ? "s" : "";
  return figure(value) + unit;
}

std::string counted(int count, const char* one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

// "mcp_requests_per_second 412 over 60s", "… at least 380 over 6s".
std::string told(const Policy& policy, const Input& input) {
  std::string text = metric_name(policy, input.signal);
  if (input.kind == Input::Kind::AtLeast) text += " at least";
  text += " " + figure(input.signal, input.value);
  if (input.over > Duration{0}) text += " over " + format_duration(input.over);
  if (input.kind == Input::Kind::WithoutBacklog)
    text += " without those that only wait for starting pods";
  return text;
}

// "… at 4 ready pods is 103 a pod"; of a percentage only at how many pods.
std::string a_pod(const Policy& policy, const Verdict& verdict, const Input& input) {
  std::string text = told(policy, input) + " at " + counted(verdict.pods.ready, "ready pod");
  if (!is_percent(input.signal) && verdict.pods.ready > 0)
    text += " is " + figure(input.value / verdict.pods.ready) + " a pod";
  return text;
}

std::string target_clause(const Policy& policy, const Verdict& verdict, const Proposal& proposal) {
  const Input& input = proposal.input[0];
  if (proposal.reason == Reason::Idle) return told(policy, input) + ": nothing is carried";
  const char* how = proposal.reason == Reason::OverTarget    ? ", over the target of "
                    : proposal.reason == Reason::UnderTarget ? ", under the target of "
                    : proposal.reason == Reason::Panicking
                        ? ", far over the target within seconds, which is "
                        : ", and carried by the present replicas at the target of ";
  return a_pod(policy, verdict, input) + how + figure(input.signal, proposal.per_pod);
}

std::string panic_clause(const Policy& policy, const Proposal& proposal) {
  const Input& input = proposal.input[0];
  return "panicking since a short load was far over its target: " + told(policy, input) +
         " at the target of " + figure(proposal.per_pod) + " a pod";
}

std::string latency_clause(const Policy& policy, const Verdict& verdict, const Proposal& proposal) {
  const std::string objective = figure(Signal::Latency, policy.targets.latency->seconds);
  const Input& load = proposal.input[0];
  std::string text = metric_name(policy, Signal::Latency);
  if (proposal.reason == Reason::Idle) return told(policy, load) + ": there are no calls";
  if (proposal.inputs > 1) {
    const bool over = proposal.input[1].value > policy.targets.latency->seconds;
    text += " " + figure(Signal::Latency, proposal.input[1].value) +
            (over ? " is over" : " is within") + " the objective of " + objective;
  } else {
    text += " is not known (its objective is " + objective + ")";
  }
  if (proposal.reason == Reason::ObjectiveTooTight)
    return text + " and less load a pod does not change that (" + a_pod(policy, verdict, load) +
           "): no number of pods can meet it";
  if (proposal.reason == Reason::LearningCapacity)
    return text + "; what a pod carries within it is still being learnt (" +
           a_pod(policy, verdict, load) + ")";
  return text + "; a pod is taken to carry " + figure(proposal.per_pod) + " within it, and " +
         told(policy, load) + " is there";
}

std::string schedule_clause(const Policy& policy, const Proposal& proposal) {
  const Schedule& schedule = policy.schedules[proposal.entry];
  const std::string wants = " wants " + std::to_string(schedule.min_replicas) + " replicas";
  if (proposal.reason == Reason::Scheduled) return "schedule " + schedule.name + wants + " now";
  return "schedule " + schedule.name + wants + " soon and has " +
         std::to_string(proposal.replicas) + " on its ramp";
}

std::string clause(const Policy& policy, const Verdict& verdict, const Proposal& proposal,
                   const fleet::Decision* rules) {
  switch (proposal.by) {
    case Recommender::Target:
      return target_clause(policy, verdict, proposal);
    case Recommender::Panic:
      return panic_clause(policy, proposal);
    case Recommender::Latency:
      return latency_clause(policy, verdict, proposal);
    case Recommender::Schedule:
      return schedule_clause(policy, proposal);
    case Recommender::Forecast:
      return metric_name(policy, proposal.input[0].signal) + " of " +
             figure(proposal.input[0].value) + " is forecast within " +
             format_duration(proposal.input[0].over) + ", at the target of " +
             figure(proposal.per_pod) + " a pod";
    case Recommender::Rules: {
      const std::string text = "the rules' floor is " + counted(proposal.replicas, "replica");
      return rules == nullptr || rules->message.empty() ? text : text + " (" + rules->message + ")";
    }
    case Recommender::None:
      break;
  }
  return "nothing is asked for";
}

// "a and b" of the signals without data.
std::string missing_names(const Policy& policy, const Verdict& verdict) {
  std::string names;
  for (std::size_t i = 0; i < kSignals; ++i) {
    const auto signal = static_cast<Signal>(i);
    if (!verdict.is_missing(signal)) continue;
    names += (names.empty() ? "" : " and ") + metric_name(policy, signal);
  }
  return names;
}

// Why, where no proposal says it.
std::string cause_clause(const Policy& policy, const Verdict& verdict,
                         const fleet::Decision* rules) {
  switch (verdict.reason) {
    case Reason::HeldWithoutData:
      return "there is no fresh data of " + missing_names(policy, verdict);
    case Reason::FailedWithoutData:
      return "there is no fresh data of " + missing_names(policy, verdict) +
             ", and nothing shall be decided without it";
    case Reason::LimitsChanged:
      return "minReplicas is " + std::to_string(policy.min_replicas) + " and maxReplicas " +
             std::to_string(policy.max_replicas);
    case Reason::ScaledToZero:
      return "somebody set the replicas to 0";
    default:
      break;
  }
  const Proposal* cause = verdict.cause();
  return cause == nullptr ? "nothing asks for replicas" : clause(policy, verdict, *cause, rules);
}

std::string step_of(const Policy& policy, const Verdict& verdict) {
  const bool floor = policy.actuator == Actuator::Hpa;
  if (verdict.advised == verdict.from)
    return floor ? "the floor stays at " + counted(verdict.from, "replica")
                 : counted(verdict.from, "replica") + (verdict.from == 1 ? " stays" : " stay");
  return std::string(floor ? "the floor goes " : "") + std::to_string(verdict.from) + " → " +
         std::to_string(verdict.advised) + " replicas";
}

std::string clip_text(const Policy& policy, const Verdict& verdict, Clip clip) {
  const bool up = verdict.asked > verdict.from;
  const DirectionBehavior& behavior = up ? policy.behavior.up : policy.behavior.down;
  switch (clip) {
    case Clip::Minimum:
      return "minReplicas is " + std::to_string(policy.min_replicas);
    case Clip::Maximum:
      return "maxReplicas is " + std::to_string(policy.max_replicas);
    case Clip::RatePolicy:
      return "behavior allows no more in this period";
    case Clip::Stabilization:
      return "the stabilization window of " + format_duration(behavior.stabilization) + " holds";
    case Clip::PanicHold:
      return "none go while panicking";
    case Clip::MissingData:
      return "data is missing";
  }
  return "?";
}

// " (9 wanted, but maxReplicas is 6)"; empty where nothing was clipped or the cause says it.
std::string clipped(const Policy& policy, const Verdict& verdict) {
  if (verdict.asked == verdict.advised || verdict.failed ||
      verdict.reason == Reason::HeldWithoutData || verdict.reason == Reason::LimitsChanged)
    return {};
  std::string text;
  for (std::size_t i = 0; i < kClips; ++i) {
    const auto clip = static_cast<Clip>(i);
    if (!verdict.clipped_by.has(clip)) continue;
    text += (text.empty() ? "" : " and ") + clip_text(policy, verdict, clip);
  }
  if (text.empty()) return {};
  return " (" + std::to_string(verdict.asked) + " wanted, but " + text + ")";
}

std::string mode_note(const Policy& policy, const Verdict& verdict) {
  if (verdict.acts || verdict.reason == Reason::ScaledToZero) return {};
  return std::string("; mode ") + (policy.mode == Mode::Paused ? "Paused" : "DryRun") +
         ": nothing is done";
}

bool is_amount(double value) { return value >= 0 && std::isfinite(value); }

std::string why_missing(const Policy& policy, Signal signal, const Facts& facts) {
  const Measurement& got = facts[signal];
  if (got.kind == Measurement::Kind::Missing)
    return got.why == nullptr ? " has no data" : std::string(" has no data: ") + got.why;
  if (got.kind == Measurement::Kind::Value && !is_amount(got.value))
    return " has no data: " + format_value(got.value) + " cannot be";
  if (got.at > facts.now) return " is from later than now: a clock is wrong";
  return " has no data for " +
         format_duration(std::chrono::floor<std::chrono::seconds>(facts.now - got.at)) +
         " (limit " + format_duration(policy.missing(signal).max_age) + ")";
}

}  // namespace

std::string metric_name(const Policy& policy, Signal signal) {
  std::string name = metric_name(signal);
  if (signal != Signal::Latency || !policy.targets.latency) return name;
  switch (policy.targets.latency->quantile) {
    case Quantile::P50:
      return name + "_p50";
    case Quantile::P95:
      return name + "_p95";
    case Quantile::P99:
      return name + "_p99";
  }
  return name;
}

std::string explain(const Policy& policy, const Verdict& verdict, const fleet::Decision* rules) {
  return cause_clause(policy, verdict, rules) + ", so " + step_of(policy, verdict) +
         clipped(policy, verdict) + mode_note(policy, verdict);
}

std::string explain(const Policy& policy, const Verdict& verdict, const Proposal& proposal,
                    const fleet::Decision* rules) {
  return std::string(name(proposal.by)) + " asks for " + std::to_string(proposal.replicas) + ": " +
         clause(policy, verdict, proposal, rules);
}

std::string limitation(const Policy& policy, const Verdict& verdict) {
  std::string text;
  if (verdict.limited)
    text = counted(verdict.asked, "replica") + " are wanted, but maxReplicas is " +
           std::to_string(policy.max_replicas);
  for (const Proposal& proposal : verdict.proposals())
    if (proposal.unattainable)
      text += (text.empty() ? "" : "; ") + latency_clause(policy, verdict, proposal);
  return text;
}

std::string missing_data(const Policy& policy, const Facts& facts, const Verdict& verdict) {
  std::string text;
  for (std::size_t i = 0; i < kSignals; ++i) {
    const auto signal = static_cast<Signal>(i);
    if (!verdict.is_missing(signal)) continue;
    text += (text.empty() ? "" : "; ") + metric_name(policy, signal) +
            why_missing(policy, signal, facts);
  }
  if (text.empty()) return text;
  return text + "; no replicas go meanwhile";
}

}  // namespace mcpfleet::scaling
