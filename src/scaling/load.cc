#include "scaling/load.h"

#include <algorithm>
#include <cmath>

#include "scaling/policy.h"

namespace mcpfleet::scaling {

Input Load::input() const {
  const bool rises = surge > steady;
  const Input::Kind kind = without_backlog ? Input::Kind::WithoutBacklog
                           : rises         ? Input::Kind::AtLeast
                                           : Input::Kind::Mean;
  const double value = is_load(signal) ? greatest() : greatest() / std::max(heard, 1);
  return {signal, kind, value, rises ? surge_over : steady_over, age};
}

double beyond_chance(Signal signal, double mean, Duration window, double errors) {
  const double seconds = std::max(std::chrono::duration<double>(window).count(), 1.0);
  double looks = 0;  // independent ones
  if (signal == Signal::RequestsPerSecond)
    looks = seconds;
  else if (signal == Signal::Concurrency)
    looks = std::min(seconds, 2.0);
  else
    return mean;
  // The root of what is counted by chance has an error of one half, however much it is.
  const double root = std::sqrt(mean * looks) - errors / 2;
  return root > 0 ? root * root / looks : 0;
}

int pods_for(double load, double per_pod) {
  const double exact = load / per_pod;
  if (!(exact > 0)) return 0;
  // Means of sums are not exact: 200.00000000001 / 50 is four pods.
  const double pods = std::ceil(exact * (1 - 1e-9));
  return pods < kMostReplicas ? static_cast<int>(pods) : kMostReplicas;
}

}  // namespace mcpfleet::scaling
