// The HorizontalPodAutoscaler controller of Kubernetes 1.35 as a function: what it decides of what
// it sees, sync by sync, in its own words.
//
// It is what a policy of HPAs is simulated with, and what the Operator actuator is compared with.
// tests/integration/test_hpa_arithmetic.py gives the same cases to the real controller and wants
// the same answers. Not here, since it is no arithmetic: reading and writing the scale, selectors
// that are wrong or that two autoscalers share, Events.
//
//   Hpa hpa;                                    // one an autoscaler
//   every 15 s:  const HpaDecision decision = hpa.sync(spec, settings, sight, now);
//                if (decision.rescale) replicas = decision.replicas;
//
// A sync allocates nothing once the memory has grown to the length of the windows. Pure: no clock.
// Thread safety: an Hpa belongs to one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "scaling/hpa_behavior.h"
#include "scaling/hpa_metric.h"
#include "scaling/hpa_sight.h"
#include "scaling/hpa_spec.h"

namespace mcpfleet::scaling {

enum class HpaConditionType { AbleToScale, ScalingActive, ScalingLimited };
inline constexpr std::size_t kHpaConditionTypes = 3;

// One of status.conditions.
struct HpaCondition {
  enum class Status { Absent, True, False };  // Absent: nothing was said of it yet
  Status status = Status::Absent;
  const char* reason = "";   // Kubernetes' own word, a constant
  const char* message = "";  // its sentence, or the beginning of it: Hpa::message has all of it
  int metric = -1;           // the metric of the spec that it is about; -1: none
  HpaProblem problem = HpaProblem::None;  // of that metric
};

struct HpaDecision {
  int current = 0;       // spec.replicas as it was seen
  int replicas = 0;      // what spec.replicas is to be; `current` where nothing changes
  bool rescale = false;  // `replicas` is to be written
  // The metric whose proposal was taken; -1: none, since the replicas are beyond the limits,
  // scaling is off, or too many metrics have no answer.
  int metric = -1;
  // Metrics without an answer, and all of them or a wish for fewer replicas: nothing changes.
  bool failed = false;
  // Why it rescales: "cpu resource above target" (…), "All metrics below target" (…).
  enum class Why { None, AboveMaximum, BelowMinimum, AboveTarget, BelowTarget };
  Why why = Why::None;
};

class Hpa {
 public:
  // One sync. `spec` has at least one metric, and as many readings as metrics must be in `sight`
  // (one that is not there is taken for an empty answer). A decision to rescale is taken as carried
  // out, and counts for the policies from now on.
  HpaDecision sync(const HpaSpec& spec, const HpaSettings& settings, const HpaSight& sight,
                   WallTime now);

  // Of the last sync, one a metric: what it proposed, and what status.currentMetrics shows. Empty
  // where it looked at none.
  std::span<const HpaProposal> proposals() const { return proposals_; }

  // As in the status after the last sync. What it did not speak of stays as it was.
  const HpaCondition& condition(HpaConditionType type) const {
    return conditions_[static_cast<std::size_t>(type)];
  }
  int status_desired() const { return status_desired_; }  // status.desiredReplicas

  // The whole sentence of a condition, as in Kubernetes but for names that it does not know here:
  // of pods, and of selectors of metrics. `spec` and `readings` are those of the last sync.
  std::string message(HpaConditionType type, const HpaSpec& spec,
                      std::span<const HpaReading> readings) const;

 private:
  // What the metrics want together.
  struct Wanted {
    int replicas = 0;
    int metric = -1;
    bool failed = false;
  };
  Wanted want(const HpaSpec& spec, const HpaSettings& settings, const HpaSight& sight,
              WallTime now);
  void decide(const HpaSpec& spec, const HpaSettings& settings, const HpaSight& sight,
              HpaDecision& decision, WallTime now);
  void set(HpaConditionType type, const HpaCondition& condition) {
    conditions_[static_cast<std::size_t>(type)] = condition;
  }

  HpaMemory memory_;
  std::array<HpaCondition, kHpaConditionTypes> conditions_;
  std::vector<HpaProposal> proposals_;
  int status_desired_ = 0;
};

// Why a decision rescales, as the Event SuccessfulRescale says it; empty where it does not.
std::string rescale_reason(const HpaDecision& decision, const HpaSpec& spec);

}  // namespace mcpfleet::scaling
