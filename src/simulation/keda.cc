#include "simulation/keda.h"

namespace mcpfleet::simulation {

int KedaPolicy::decide(const Seen& seen) {
  if (seen.second % kPoll == poll_phase_) {
    const std::int64_t end = trigger_.newest(seen.second);
    if (seen.history.average(end - trigger_.window, end).arrived > 0) last_active_ = seen.second;
    if (seen.replicas == 0) return last_active_ == seen.second ? 1 : 0;
    if (seen.second - last_active_ > kCooldown) return 0;
  }
  const bool sync = seen.second % hpa_.period() == hpa_.phase();
  // An HPA leaves a workload of zero replicas alone.
  return sync && seen.replicas > 0 ? hpa_.decide(seen) : seen.replicas;
}

}  // namespace mcpfleet::simulation
