// What one metric of a HorizontalPodAutoscaler proposes. Internal to scaling, but for HpaProposal.
//
// The arithmetic is that of Kubernetes 1.35: the ratio of usage to target; nothing changes within
// the tolerance; otherwise ratio × pods that count, rounded up. Pods without a value are taken to
// be at their target (Utilization: at their whole request) where the others say less than the
// target, and idle where they say more; pods that are not ready are idle where the others say more,
// and do not count otherwise. Where these guesses turn the direction round, nothing changes. Pure:
// no clock. Thread safety: free functions and plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "scaling/hpa_sight.h"
#include "scaling/hpa_spec.h"

namespace mcpfleet::scaling {

// Why a metric proposes nothing.
enum class HpaProblem {
  None,
  Unanswered,     // the metrics API answered with an error
  NoValues,       // it has no value
  NoPods,         // the selector selects no pod
  NoneThatCount,  // no value is of a pod that counts
  NoRequest,      // Utilization: a pod (whichever) does not request the resource
  NothingAsked,   // Utilization: the pods' requests sum up to nothing
};

struct HpaProposal {
  HpaProblem problem = HpaProblem::None;
  int replicas = 0;
  // As in status.currentMetrics: the value or the average, in thousandths, and the utilization in
  // percent.
  std::int64_t usage_milli = 0;
  std::optional<int> utilization;
};

// How far the ratio of usage to target may be from 1 without any effect.
struct HpaTolerances {
  double up = 0;
  double down = 0;
  bool within(double ratio) const { return 1.0 - down <= ratio && ratio <= 1.0 + up; }
};

HpaTolerances tolerances(const HpaSpec& spec, const HpaSettings& settings);

// `reading` is the answer for `metric`.
HpaProposal propose(const HpaMetric& metric, const HpaReading& reading, const HpaSight& sight,
                    const HpaTolerances& tolerance, const HpaSettings& settings, WallTime now);

}  // namespace mcpfleet::scaling
