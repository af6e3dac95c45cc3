// Which pods count for a metric. Internal to scaling. Pure: no clock.
#pragma once

#include <cstdint>
#include <span>

#include "scaling/hpa_sight.h"
#include "scaling/hpa_spec.h"

namespace mcpfleet::scaling {

// How a pod stands in the arithmetic of one metric.
enum class Standing {
  Counted,
  Unready,  // pending, or of CPU: still starting, so that its value says nothing yet
  Missing,  // without a value
  Ignored,  // failed or being deleted
};

class Readiness {
 public:
  // `cpu`: the metric is CPU, which is the only one that readiness is looked at for. `settings`
  // must outlive this.
  Readiness(bool cpu, const HpaSettings& settings, WallTime now)
      : cpu_(cpu), settings_(&settings), now_(now) {}

  Standing standing(const HpaPod& pod, const HpaSample& sample) const;

 private:
  bool starting(const HpaPod& pod, const HpaSample& sample) const;

  bool cpu_;
  const HpaSettings* settings_;
  WallTime now_;
};

// Pods that run and are ready; those that are being deleted too, as Kubernetes counts.
std::int64_t ready_pods(std::span<const HpaPod> pods);

}  // namespace mcpfleet::scaling
