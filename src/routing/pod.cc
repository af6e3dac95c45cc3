#include "routing/pod.h"

namespace mcpfleet::routing {
namespace {

// What the newest time counts in the average: half of the average is of the last seven.
constexpr double kNewest = 0.1;

}  // namespace

double PodStats::mean_seconds() const {
  return timed == 0
             ? 0
             : std::chrono::duration<double>(total_time).count() / static_cast<double>(timed);
}

double PodStats::error_ratio() const {
  return requests == 0 ? 0 : static_cast<double>(errors) / static_cast<double>(requests);
}

void PodStats::began(MonotonicTime now) {
  ++in_flight;
  last_use = now;
}

void PodStats::ended(Outcome outcome, Duration took, MonotonicTime now) {
  if (in_flight > 0) --in_flight;
  last_use = now;
  ++requests;
  if (is_error(outcome)) ++errors;
  // A pod that fails at once is not fast, and one whose client went away not slow.
  if (outcome == Outcome::Cancelled || is_failure(outcome)) return;
  const double seconds = std::chrono::duration<double>(took).count();
  average_seconds = timed == 0 ? seconds : average_seconds + kNewest * (seconds - average_seconds);
  ++timed;
  total_time += took;
}

}  // namespace mcpfleet::routing
