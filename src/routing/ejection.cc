#include "routing/ejection.h"

#include <algorithm>

#include "base/backoff.h"

namespace mcpfleet::routing {

bool Ejection::failed(const fleet::Ejection& settings, MonotonicTime now) {
  if (ejected(now)) return false;
  ++failures_;
  return settings.consecutive_failures > 0 && failures_ >= settings.consecutive_failures;
}

Duration Ejection::eject(const fleet::Ejection& settings, MonotonicTime now) {
  if (times_ > 0 && settings.max_time > Duration(0)) {
    const auto well = (now - until_) / settings.max_time;
    step_ = static_cast<int>(std::max<Duration::rep>(0, step_ - well));
  }
  const Duration time =
      Backoff{.base = settings.base_time, .ceiling = settings.max_time}.delay(++step_);
  ++times_;
  until_ = now + time;
  return time;
}

double Ejection::weight(const fleet::Ejection& settings, MonotonicTime now) const {
  if (times_ == 0 || now >= until_ + settings.slow_start) return 1;
  const double passed = std::max(0.0, std::chrono::duration<double>(now - until_).count());
  const double whole = std::chrono::duration<double>(settings.slow_start).count();
  return kFirstWeight + (1 - kFirstWeight) * passed / whole;
}

}  // namespace mcpfleet::routing
