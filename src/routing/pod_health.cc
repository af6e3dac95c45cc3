#include "routing/pod_health.h"

#include <algorithm>

namespace mcpfleet::routing {

void PodHealth::begin(const fleet::HealthCheck& settings, double share, MonotonicTime now) {
  healthy_ = true;
  against_ = 0;
  due_ =
      now +
      Duration(static_cast<Duration::rep>(share * static_cast<double>(settings.interval.count())));
}

void PodHealth::change(const fleet::HealthCheck& settings, MonotonicTime now) {
  if (due_ != MonotonicTime::max()) due_ = std::min(due_, now + settings.interval);
}

bool PodHealth::told(const fleet::HealthCheck& settings, const CheckResult& result,
                     MonotonicTime now) {
  checking_ = false;
  ++checks_;
  last_check_ = now;
  last_took_ = result.took;
  if (!result.ok) {
    ++failures_;
    last_error_ = result.error;
  }
  against_ = result.ok == healthy_ ? 0 : against_ + 1;
  const int threshold = healthy_ ? settings.unhealthy_threshold : settings.healthy_threshold;
  const bool changes = against_ >= std::max(1, threshold);
  if (changes) {
    healthy_ = result.ok;
    against_ = 0;
  }
  due_ = now + (against_ > 0 ? std::min(kConfirmInterval, settings.interval) : settings.interval);
  return changes;
}

}  // namespace mcpfleet::routing
