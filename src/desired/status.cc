#include "desired/status.h"

#include <algorithm>
#include <cmath>

#include "base/quantity.h"
#include "desired/desired.h"
#include "desired/reasons.h"
#include "desired/workload_verdict.h"

namespace mcpfleet::desired {
namespace {

using fleet::Condition;
using fleet::ConditionStatus;

std::string joined(const std::vector<std::string>& parts, const char* between = "; ") {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

// `head`, then the sentences that have something to add.
std::string with_notes(std::string head, const std::vector<std::string>& sentences) {
  const std::string tail = joined(sentences);
  if (tail.empty()) return head;
  return head.empty() ? tail : head + "; " + tail;
}

std::string_view reason_of(const fleet::Reference& missing) {
  return missing.kind == fleet::Reference::Kind::Secret ? kSecretNotFound : kConfigMapNotFound;
}

// Why the spec is not accepted, if so.
std::optional<Refusal> refusal_of(const Observed& observed) {
  if (observed.refusal) return observed.refusal;
  if (!observed.missing.empty()) {
    std::vector<std::string> sentences;
    for (const auto& missing : observed.missing)
      sentences.push_back(std::string(fleet::to_string(missing.kind)) + " " + missing.name +
                          " does not exist, and " + missing.field + " needs it");
    return Refusal{std::string(reason_of(observed.missing.front())), joined(sentences)};
  }
  if (observed.workload && !observed.workload->found)
    return Refusal{std::string(kWorkloadNotFound),
                   observed.workload->kind + " " + observed.workload->name +
                       " of spec.source.workloadRef does not exist"};
  return std::nullopt;
}

// Of the Deployment, or of somebody else's workload; nullptr: there is none yet.
const ReplicaCounts* counts(const Observed& observed) {
  if (observed.workload) return observed.workload->found ? &*observed.workload : nullptr;
  return observed.deployment ? &*observed.deployment : nullptr;
}

std::string workload_name(const fleet::MCPServer& server) {
  if (!server.workload_ref) return "Deployment";
  return server.workload_ref->kind + " " + server.workload_ref->name;
}

Verdict accepted(const fleet::MCPServer& server, const std::optional<Refusal>& refusal) {
  if (refusal) return {ConditionStatus::False, refusal->reason, refusal->message};
  if (server.workload_ref)
    return {ConditionStatus::True, kApplied,
            "the spec is valid, and " + workload_name(server) + " exists"};
  return {ConditionStatus::True, kApplied, "the spec is valid and all its objects are applied"};
}

Workload workload_of(const fleet::MCPServer& server, const Observed& observed) {
  return {counts(observed), workload_name(server)};
}

// Replicas without which the server is not ready, whatever the autoscaler adds above.
int needed(const fleet::MCPServer& server, int spec_replicas) {
  if (server.workload_ref && !server.autoscaling) return spec_replicas;
  const int least =
      server.autoscaling ? server.autoscaling->min_replicas : std::max(server.runtime.replicas, 1);
  return std::min(least, spec_replicas);
}

Verdict server_ready(const fleet::MCPServer& server, const Observed& observed,
                     const std::optional<Refusal>& refusal) {
  const Workload workload = workload_of(server, observed);
  const int wanted = workload.counts == nullptr ? 0 : workload.counts->spec_replicas;
  return ready(workload, observed.pods, needed(server, wanted), refusal);
}

std::string target_name(const fleet::MCPServer& server) {
  return server.workload_ref ? workload_name(server) : "Deployment " + server.name;
}

std::string limits_of(const fleet::Autoscaling& autoscaling) {
  return "between " + std::to_string(autoscaling.min_replicas) + " and " +
         std::to_string(autoscaling.max_replicas) + " replicas";
}

// Data that is missing keeps the replicas from being scaled in, whoever writes them.
std::optional<Verdict> without_data(const Observed& observed) {
  if (!observed.rule_problems.empty())
    return Verdict{ConditionStatus::False, kRuleWithoutData,
                   with_notes(joined(observed.rule_problems), observed.notes)};
  if (!observed.metric_problems.empty())
    return Verdict{ConditionStatus::False, kMetricsMissing,
                   with_notes(joined(observed.metric_problems), observed.notes)};
  return std::nullopt;
}

// Where no HPA is wanted: the replicas are the operator's to write, or nobody's.
Verdict scaling_without_hpa(const fleet::MCPServer& server, const Observed& observed) {
  const auto& autoscaling = *server.autoscaling;
  if (autoscaling.mode == fleet::ScalingMode::Paused)
    return {ConditionStatus::False, kPaused,
            "spec.autoscaling.mode is Paused: the replicas stay as they are"};
  if (autoscaling.mode == fleet::ScalingMode::DryRun) {
    std::string message = "spec.autoscaling.mode is DryRun: the replicas stay as they are";
    if (observed.scaling && observed.scaling->would_be)
      message += "; there would be " + std::to_string(*observed.scaling->would_be);
    return {ConditionStatus::False, kDryRun, with_notes(std::move(message), observed.notes)};
  }
  if (auto missing = without_data(observed)) return *std::move(missing);
  return {ConditionStatus::True, kScaling,
          with_notes(limits_of(autoscaling) + ", written by the operator", observed.notes)};
}

Verdict scaling_active(const fleet::MCPServer& server, const Observed& observed) {
  if (!server.autoscaling)
    return {ConditionStatus::False, kNotConfigured,
            with_notes("spec.autoscaling is not set", observed.notes)};
  if (!observed.other_scalers.empty())
    return {ConditionStatus::False, kTargetConflict,
            joined(observed.other_scalers, " and ") + " already " +
                (observed.other_scalers.size() == 1 ? "scales " : "scale ") + target_name(server) +
                "; remove it, or spec.autoscaling"};
  if (!fleet::wants_hpa(*server.autoscaling)) return scaling_without_hpa(server, observed);
  if (!observed.hpa) {
    if (observed.notes.empty())
      return {ConditionStatus::Unknown, kWaitingForHpa, "no HorizontalPodAutoscaler yet"};
    return {ConditionStatus::False, kNotConfigured, joined(observed.notes)};
  }
  for (const char* type : {"AbleToScale", "ScalingActive"}) {
    const auto* condition = foreign(observed.hpa->conditions, type);
    if (condition == nullptr)
      return {ConditionStatus::Unknown, kWaitingForHpa,
              with_notes("the HorizontalPodAutoscaler has not reported yet", observed.notes)};
    if (condition->status == "False")
      return {
          ConditionStatus::False, kHpaInactive,
          with_notes("HorizontalPodAutoscaler: " + condition->reason + ": " + condition->message,
                     observed.notes)};
  }
  if (auto missing = without_data(observed)) return *std::move(missing);
  return {ConditionStatus::True, kScaling,
          with_notes(limits_of(*server.autoscaling), observed.notes)};
}

std::string_view limit_reason(const std::string& hpa_reason) {
  if (hpa_reason == "TooManyReplicas") return kAtMaximum;
  return hpa_reason == "TooFewReplicas" ? kAtMinimum : kRateLimited;
}

Verdict scaling_limited(const fleet::MCPServer& server, const Observed& observed) {
  if (!server.autoscaling)
    return {ConditionStatus::False, kNotConfigured, "spec.autoscaling is not set"};
  if (observed.limit)
    return {ConditionStatus::True, observed.limit->reason, observed.limit->message};
  if (!fleet::wants_hpa(*server.autoscaling))
    return {ConditionStatus::False, kWithinLimits, "nothing keeps the replicas from their load"};
  const auto* condition =
      observed.hpa ? foreign(observed.hpa->conditions, "ScalingLimited") : nullptr;
  if (condition == nullptr)
    return {ConditionStatus::Unknown, kWaitingForHpa,
            "the HorizontalPodAutoscaler has not reported yet"};
  if (condition->status == "True")
    return {ConditionStatus::True, limit_reason(condition->reason),
            condition->reason + ": " + condition->message};
  return {ConditionStatus::False, kWithinLimits, condition->message};
}

bool unreadable(const Observed& observed) {
  return observed.refusal && observed.refusal->reason == kInvalid;
}

std::vector<Condition> conditions(const fleet::MCPServer& server, const Observed& observed,
                                  WallTime now) {
  ConditionWriter writer(server.status.conditions, server.generation, now);
  const Workload workload = workload_of(server, observed);
  const auto refusal = refusal_of(observed);
  writer.set(kAccepted, accepted(server, refusal));
  writer.set(kAvailable, available(workload));
  writer.set(kProgressing, progressing(workload));
  if (unreadable(observed)) {
    writer.keep(kScalingActive);
    writer.keep(kScalingLimited);
  } else {
    writer.set(kScalingActive, scaling_active(server, observed));
    writer.set(kScalingLimited, scaling_limited(server, observed));
  }
  // Each step of the autoscaler makes a new generation of the Deployment; the moment until its
  // controller has seen it must not make the server unready. A new spec of the MCPServer is told
  // from it by the condition's older observedGeneration.
  const bool wait = !refusal && unobserved(workload);
  if (!wait || !writer.keep(kReady)) writer.set(kReady, server_ready(server, observed, refusal));
  return writer.take();
}

// A quantity to two significant digits: a status must not change with each breath of the traffic.
std::string rounded(const std::string& quantity) {
  const auto milli =
      quantity.ends_with('%') ? fail(ErrorKind::Invalid, "") : parse_quantity_milli(quantity);
  if (!milli || *milli == 0) return quantity;
  const double digits = std::floor(std::log10(std::fabs(static_cast<double>(*milli)))) - 1;
  const double step = std::pow(10.0, std::max(digits, 0.0));
  return format_quantity_milli(
      static_cast<std::int64_t>(std::round(static_cast<double>(*milli) / step) * step));
}

std::vector<fleet::MetricReading> metrics(const Observed& observed, const fleet::Status& before,
                                          WallTime now) {
  std::vector<fleet::MetricReading> result;
  if (observed.hpa)
    for (const auto& metric : observed.hpa->metrics)
      result.push_back({metric.name, rounded(metric.current), metric.target, now});
  for (const auto& metric : observed.rule_metrics) {
    result.push_back(metric);
    result.back().time = now;
  }
  if (!before.scaling) return result;
  for (auto& metric : result)
    for (const auto& old : before.scaling->metrics)
      if (old.name == metric.name && old.target == metric.target && old.current == metric.current)
        metric.time = old.time;
  return result;
}

std::optional<fleet::ScalingStatus> scaling(const fleet::MCPServer& server,
                                            const Observed& observed, WallTime now) {
  if (unreadable(observed)) return server.status.scaling;
  if (!server.autoscaling) return std::nullopt;
  fleet::ScalingStatus result = observed.scaling.value_or(fleet::ScalingStatus{});
  result.metrics = metrics(observed, server.status, now);
  return result;
}

// The pods of somebody else's workload have labels of their own.
std::string selector_of(const fleet::MCPServer& server, const Observed& observed) {
  if (observed.workload) return observed.workload->selector;
  if (server.workload_ref || unreadable(observed)) return server.status.selector;
  return selector(server.name);
}

// What a status says but for live numbers and wording.
fleet::Status without_numbers(fleet::Status status) {
  status.active_sessions.reset();
  if (status.scaling) {
    status.scaling->metrics.clear();
    // What changed the replicas is told by last_decision, too.
    status.scaling->decisions.clear();
  }
  for (auto& condition : status.conditions) condition.message.clear();
  return status;
}

fleet::Status without_times(fleet::Status status) {
  if (status.scaling)
    for (auto& metric : status.scaling->metrics) metric.time = {};
  return status;
}

}  // namespace

fleet::Status build_status(const fleet::MCPServer& server, const Observed& observed, WallTime now) {
  fleet::Status status;
  status.observed_generation = server.generation;
  if (const ReplicaCounts* workload = counts(observed)) {
    status.replicas = workload->replicas;
    status.ready_replicas = workload->ready_replicas;
  }
  status.selector = selector_of(server, observed);
  status.address_url = unreadable(observed) ? server.status.address_url : address_url(server);
  status.server_info = observed.server_info ? observed.server_info : server.status.server_info;
  status.active_sessions = observed.active_sessions;
  status.scaling = scaling(server, observed, std::chrono::floor<std::chrono::seconds>(now));
  status.conditions = conditions(server, observed, now);
  return status;
}

Change compare(const fleet::Status& stored, const fleet::Status& fresh) {
  if (!(without_numbers(stored) == without_numbers(fresh))) return Change::Material;
  return without_times(stored) == without_times(fresh) ? Change::None : Change::Numbers;
}

bool material_change(const fleet::Status& stored, const fleet::Status& fresh) {
  return compare(stored, fresh) == Change::Material;
}

}  // namespace mcpfleet::desired
