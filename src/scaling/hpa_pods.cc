#include "scaling/hpa_pods.h"

namespace mcpfleet::scaling {

Standing Readiness::standing(const HpaPod& pod, const HpaSample& sample) const {
  if (pod.deleting || pod.phase == HpaPod::Phase::Failed) return Standing::Ignored;
  if (pod.phase == HpaPod::Phase::Pending) return Standing::Unready;
  if (!sample.milli) return Standing::Missing;
  return cpu_ && starting(pod, sample) ? Standing::Unready : Standing::Counted;
}

bool Readiness::starting(const HpaPod& pod, const HpaSample& sample) const {
  if (pod.ready == HpaPod::Ready::Absent || !pod.started) return true;
  const bool unready = pod.ready == HpaPod::Ready::False;
  // A young pod's value must be wholly of the time since it became ready.
  if (*pod.started + settings_->cpu_initialization_period > now_)
    return unready || sample.time < pod.ready_since + sample.window;
  // An old pod that is not ready counts, unless it never was.
  return unready && *pod.started + settings_->initial_readiness_delay > pod.ready_since;
}

std::int64_t ready_pods(std::span<const HpaPod> pods) {
  std::int64_t ready = 0;
  for (const HpaPod& pod : pods)
    if (pod.phase == HpaPod::Phase::Running && pod.ready == HpaPod::Ready::True) ready += pod.count;
  return ready;
}

}  // namespace mcpfleet::scaling
