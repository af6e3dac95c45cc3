#include "simulation/oracle.h"

#include <algorithm>

#include "simulation/call_queue.h"

namespace mcpfleet::simulation {
namespace {

// True when `pods` from now on keep everybody in time who has come by the end of this second.
bool enough(CallQueue queue, double arrivals, double capacity) {
  const CallSecond now = queue.step(arrivals, capacity);
  if (now.late + now.lost > 0) return false;
  while (queue.waiting() > 0) {
    if (capacity <= 0) return false;
    const CallSecond later = queue.step(0, capacity);
    if (later.late + later.lost > 0) return false;
  }
  return true;
}

// The fewest pods for this second, at most `most`.
int fewest(const CallQueue& queue, double arrivals, double rate, int most) {
  if (queue.waiting() == 0 && arrivals <= 0) return 0;
  int low = 0;  // not enough
  int high = most;
  while (low + 1 < high) {
    const int middle = (low + high) / 2;
    (enough(queue, arrivals, rate * middle) ? high : low) = middle;
  }
  return high;
}

// For each number k of pods: when at least k are needed, with gaps bridged that are not longer than
// `gap`. Adds each such time to `serving` and, `start` seconds longer, to `replicas`; both are
// differences from second to second.
class Levels {
 public:
  Levels(std::size_t seconds, int start, int gap)
      : start_(start), gap_(gap), serving_(seconds + 1), replicas_(seconds + 1) {}

  void need(std::int64_t second, int pods) {
    if (std::ssize(open_) < pods) open_.resize(static_cast<std::size_t>(pods));
    for (int k = 0; k < pods; ++k) {
      Span& span = open_[static_cast<std::size_t>(k)];
      if (span.end >= 0 && second - span.end > gap_) close(span);
      if (span.end < 0) span.begin = second;
      span.end = second + 1;
    }
  }
  void finish(Plan& plan) {
    for (Span& span : open_)
      if (span.end >= 0) close(span);
    sum(serving_, plan.serving);
    sum(replicas_, plan.replicas);
  }

 private:
  struct Span {
    std::int64_t begin = 0;
    std::int64_t end = -1;  // below 0: none
  };
  void close(Span& span) {
    const auto written = std::max<std::int64_t>(0, span.begin - start_);
    ++serving_[static_cast<std::size_t>(span.begin)];
    ++replicas_[static_cast<std::size_t>(written)];
    --serving_[static_cast<std::size_t>(span.end)];
    --replicas_[static_cast<std::size_t>(span.end)];
    span.end = -1;
  }
  static void sum(const std::vector<int>& changes, std::vector<int>& values) {
    int now = 0;
    for (std::size_t i = 0; i + 1 < changes.size(); ++i) values.push_back(now += changes[i]);
  }

  int start_;
  int gap_;
  std::vector<int> serving_;
  std::vector<int> replicas_;
  std::vector<Span> open_;  // by k
};

}  // namespace

Plan plan(const Trace& trace, Workload workload) {
  Plan result;
  result.hopeless = workload.objective.wait_seconds(workload.pod) < 0;
  // Where nobody can be in time, the plan is that nobody waits.
  if (result.hopeless) workload.objective.seconds = workload.pod.service_seconds;
  const auto& [pod, objective, limits] = workload;
  CallQueue queue(workload);
  Levels levels(trace.arrivals.size(), pod.start_seconds, pod.start_seconds + pod.stop_seconds);
  for (std::size_t second = 0; second < trace.arrivals.size(); ++second) {
    const double arrivals = trace.arrivals[second];
    int pods = fewest(queue, arrivals, pod.rate(), limits.max_replicas);
    pods = std::max(pods, limits.min_replicas);
    result.needed.push_back(pods);
    const CallSecond done = queue.step(arrivals, pod.rate() * pods);
    result.limited = result.limited || done.late + done.lost > 0;
    levels.need(static_cast<std::int64_t>(second), pods);
  }
  levels.finish(result);
  return result;
}

}  // namespace mcpfleet::simulation
