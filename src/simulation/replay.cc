#include "simulation/replay.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mcpfleet::simulation {

Timeline replay(const Trace& trace, const Workload& workload, ReplicaPolicy& policy, int replicas) {
  Timeline timeline;
  timeline.moments.reserve(trace.arrivals.size());
  Replay run(workload, policy, replicas);
  const double service = workload.pod.service_seconds;
  run.run(trace.arrivals, [&](const Server& server, const CallSecond& second, double arrivals) {
    const bool any = second.served > 0;
    timeline.moments.push_back(
        {arrivals, second.served, second.late, second.lost, server.queue().waiting(),
         any ? service + second.wait_sum / second.served : 0, any ? service + second.worst_wait : 0,
         server.pods().replicas(), server.pods().ready(), second.over});
  });
  timeline.pod_seconds = run.server().pod_seconds();
  return timeline;
}

int first_replicas(const Trace& trace, const Workload& workload) {
  constexpr std::ptrdiff_t kMinute = 60;
  constexpr double kShare = 0.7;
  const auto begin = trace.arrivals.begin();
  const auto end = begin + std::min(std::ssize(trace.arrivals), kMinute);
  const double mean = std::accumulate(begin, end, 0.0) /
                      static_cast<double>(std::max<std::ptrdiff_t>(1, end - begin));
  const double pods = std::ceil(mean / (workload.pod.rate() * kShare));
  return static_cast<int>(std::clamp(pods, static_cast<double>(workload.limits.min_replicas),
                                     static_cast<double>(workload.limits.max_replicas)));
}

}  // namespace mcpfleet::simulation
