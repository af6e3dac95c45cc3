#include "simulation/knative.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::simulation {

KnativePolicy::KnativePolicy(const KnativeSettings& settings, int replicas) : settings_(settings) {
  if (replicas > 1) {
    panic_since_ = 0;
    most_in_panic_ = replicas;
  }
}

bool KnativePolicy::panicking(std::int64_t now, bool over_threshold) {
  if (over_threshold) {
    panic_since_ = now;
  } else if (panic_since_ >= 0 && panic_since_ + settings_.stable_window < now) {
    panic_since_ = -1;
    most_in_panic_ = 0;
  }
  return panic_since_ >= 0;
}

int KnativePolicy::decide(const Seen& seen) {
  if (seen.second == 0) return seen.replicas;  // no data yet
  const auto pods_for = [&](int window) {
    const double held = seen.history.average(seen.second - window, seen.second).in_flight;
    return std::ceil(held / settings_.target - 1e-9);
  };
  const double ready = std::max(1, seen.ready);
  const double most = std::ceil(settings_.max_scale_up_rate * ready);
  const double least = std::floor(ready / settings_.max_scale_down_rate);
  const double short_wish = pods_for(settings_.panic_window);
  double wish = std::min(std::max(pods_for(settings_.stable_window), least), most);
  if (panicking(seen.second, short_wish / ready >= settings_.panic_threshold)) {
    wish = std::max(wish, std::min(std::max(short_wish, least), most));
    most_in_panic_ = std::max(most_in_panic_, wish);
    wish = most_in_panic_;
  }
  return static_cast<int>(std::clamp(wish, static_cast<double>(settings_.limits.min_replicas),
                                     static_cast<double>(settings_.limits.max_replicas)));
}

}  // namespace mcpfleet::simulation
