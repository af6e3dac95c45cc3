// KEDA as a policy: an HPA that KEDA feeds, and KEDA's own way to zero and back.
//
// Defaults of a ScaledObject with a Prometheus trigger: minReplicaCount 0, pollingInterval 30 s,
// cooldownPeriod 300 s. The HPA does not wait for the polling: it asks KEDA in each sync, and KEDA
// asks Prometheus (useCachedMetrics is off by default). The polling matters between 0 and 1. What
// counts calls has to be in front of the pods, or they would never come back from zero; calls wait
// there meanwhile. Thread safety: one thread at a time.
#pragma once

#include <utility>

#include "simulation/hpa_policy.h"

namespace mcpfleet::simulation {

class KedaPolicy final : public ReplicaPolicy {
 public:
  // `trigger`: how Prometheus measures. `poll_phase`: the second of the first poll, below 30.
  KedaPolicy(HpaPolicy hpa, Pipeline trigger, int poll_phase)
      : hpa_(std::move(hpa)), trigger_(trigger), poll_phase_(poll_phase) {}

  int period() const override { return 1; }
  int decide(const Seen& seen) override;

 private:
  static constexpr int kPoll = 30;
  static constexpr int kCooldown = 300;

  HpaPolicy hpa_;
  Pipeline trigger_;
  int poll_phase_;
  std::int64_t last_active_ = 0;
};

}  // namespace mcpfleet::simulation
