#include "scaling/hpa.h"

#include <algorithm>

#include "scaling/hpa_messages.h"

namespace mcpfleet::scaling {
namespace {

using Type = HpaConditionType;
using Status = HpaCondition::Status;
using Why = HpaDecision::Why;

HpaCondition condition_of(bool yes, const char* reason, const char* message) {
  return {yes ? Status::True : Status::False, reason, message, -1, HpaProblem::None};
}

HpaCondition of_metric(bool yes, const char* reason, const char* message, int metric,
                       HpaProblem problem) {
  return {yes ? Status::True : Status::False, reason, message, metric, problem};
}

}  // namespace

Hpa::Wanted Hpa::want(const HpaSpec& spec, const HpaSettings& settings, const HpaSight& sight,
                      WallTime now) {
  const HpaTolerances tolerance = tolerances(spec, settings);
  Wanted wanted;
  int problems = 0;
  int first_problem = -1;
  const int count = static_cast<int>(spec.metrics.size());
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const HpaReading reading = at < sight.readings.size() ? sight.readings[at] : HpaReading{};
    proposals_.push_back(propose(spec.metrics[at], reading, sight, tolerance, settings, now));
    const HpaProposal& proposal = proposals_.back();
    if (proposal.problem != HpaProblem::None) {
      if (problems++ == 0) first_problem = i;
    } else if (wanted.replicas == 0 || proposal.replicas > wanted.replicas) {
      wanted.replicas = proposal.replicas;
      wanted.metric = i;
    }
  }
  wanted.failed = problems >= count || (problems > 0 && wanted.replicas < sight.spec_replicas);
  if (wanted.failed && first_problem >= 0) {
    const auto at = static_cast<std::size_t>(first_problem);
    set(Type::ScalingActive, of_metric(false, failure_reason(spec.metrics[at]), kNoCount,
                                       first_problem, proposals_[at].problem));
  } else if (!wanted.failed) {
    set(Type::ScalingActive,
        of_metric(true, "ValidMetricFound", kCounted, wanted.metric, HpaProblem::None));
  }
  return wanted;
}

void Hpa::decide(const HpaSpec& spec, const HpaSettings& settings, const HpaSight& sight,
                 HpaDecision& decision, WallTime now) {
  const Wanted wanted = want(spec, settings, sight, now);
  decision.failed = wanted.failed;
  if (wanted.failed) return;
  decision.metric = wanted.metric;
  const int desired = std::max(wanted.replicas, 0);
  const HpaNormalized result = normalize(spec, settings, decision.current, desired, memory_, now);
  set(Type::AbleToScale, condition_of(true, result.able_reason, result.able_message));
  set(Type::ScalingLimited,
      condition_of(result.limited, result.limit_reason, result.limit_message));
  decision.replicas = result.replicas;
  decision.rescale = decision.replicas != decision.current;
  if (desired > decision.current) decision.why = Why::AboveTarget;
  if (desired < decision.current) decision.why = Why::BelowTarget;
}

HpaDecision Hpa::sync(const HpaSpec& spec, const HpaSettings& settings, const HpaSight& sight,
                      WallTime now) {
  HpaDecision decision;
  decision.current = decision.replicas = sight.spec_replicas;
  proposals_.clear();
  set(Type::AbleToScale,
      condition_of(true, "SucceededGetScale",
                   "the HPA controller was able to get the target's current scale"));
  memory_.begin(decision.current, now);

  if (decision.current == 0 && spec.min_replicas != 0) {
    set(Type::ScalingActive,
        condition_of(false, "ScalingDisabled",
                     "scaling is disabled since the replica count of the target is zero"));
  } else if (decision.current > spec.max_replicas) {
    decision.replicas = spec.max_replicas;
    decision.rescale = true;
    decision.why = Why::AboveMaximum;
  } else if (decision.current < spec.min_replicas) {
    decision.replicas = spec.min_replicas;
    decision.rescale = true;
    decision.why = Why::BelowMinimum;
  } else {
    decide(spec, settings, sight, decision, now);
  }

  if (decision.failed) return decision;
  status_desired_ = decision.replicas;
  if (decision.rescale) {
    set(Type::AbleToScale, condition_of(true, "SucceededRescale", kRescaled));
    memory_.changed(spec, decision.current, decision.replicas, now);
  }
  return decision;
}

}  // namespace mcpfleet::scaling
