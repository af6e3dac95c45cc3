// Knative's pod autoscaler (KPA), as a policy to compare with.
//
// What pkg/autoscaler/scaling/autoscaler.go of knative/serving decides, with the defaults of its
// ConfigMap config-autoscaler: the concurrency of all pods, over a stable window of 60 s and a
// panic window of a tenth of it, each 2 s; a target of 70 % of what a container may serve at once;
// twice what the ready pods shall carry begins a panic, in which pods are not taken away, and which
// ends when 60 s have gone by below that. Scaling to zero and the activator's buffer are left out.
#pragma once

#include "simulation/policy.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

struct KnativeSettings {
  double target = 7;  // calls in flight a pod
  int stable_window = 60;
  int panic_window = 6;
  int tick = 2;
  double panic_threshold = 2.0;
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  // Knative itself has minimum 0; all policies of a comparison have the same limits.
  Limits limits;
};

class KnativePolicy final : public ReplicaPolicy {
 public:
  // `replicas`: those at the beginning. With more than one it begins in panic, as Knative does
  // since it knows nothing of the past.
  KnativePolicy(const KnativeSettings& settings, int replicas);
  int period() const override { return settings_.tick; }
  int decide(const Seen& seen) override;

 private:
  // Keeps the mode; true while it panics.
  bool panicking(std::int64_t now, bool over_threshold);

  KnativeSettings settings_;
  std::int64_t panic_since_ = -1;  // the last tick over the threshold; below 0: no panic
  double most_in_panic_ = 0;
};

}  // namespace mcpfleet::simulation
