// A trace replayed: a policy's replicas, and what they meant for the callers, second by second.
//
// Pure. Thread safety: free functions and plain values.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "simulation/policy.h"
#include "simulation/server.h"
#include "simulation/trace.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

// One second of a replay.
struct Moment {
  double arrived = 0;  // calls
  double served = 0;   // calls
  double late = 0;     // of those served
  double lost = 0;     // calls
  double waiting = 0;  // calls, at the end of the second
  double latency = 0;  // seconds, mean of those served; 0 without any
  double worst = 0;    // seconds, of those served
  int replicas = 0;    // as written
  int ready = 0;       // pods that serve
  bool over = false;   // over the objective
};

struct Timeline {
  std::vector<Moment> moments;  // one a second of the trace
  double pod_seconds = 0;
};

// Totals of a replay that keeps no moments.
struct Totals {
  double arrived = 0;
  double served = 0;
  double late = 0;
  double lost = 0;
  double over_seconds = 0;
  int peak_replicas = 0;

  void add(const CallSecond& second, double arrivals, int replicas) {
    arrived += arrivals;
    served += second.served;
    late += second.late;
    lost += second.lost;
    over_seconds += second.over ? 1 : 0;
    peak_replicas = std::max(peak_replicas, replicas);
  }
};

// A server under a policy, to be fed with arrivals piece by piece.
class Replay {
 public:
  // `replicas` pods serve from the beginning. The policy must outlive this.
  Replay(const Workload& workload, ReplicaPolicy& policy, int replicas)
      : server_(workload, replicas), policy_(policy), next_(policy.phase()) {}

  // `tell(server, call_second, arrivals)` is told each second after it went by.
  template <typename Tell>
  void run(std::span<const double> arrivals, Tell&& tell) {
    for (const double calls : arrivals) {
      if (second_ == next_) {
        server_.scale(policy_.decide(server_.seen()));
        next_ += policy_.period();
      }
      ++second_;
      const CallSecond result = server_.step(calls);
      tell(server_, result, calls);
    }
  }
  const Server& server() const { return server_; }

 private:
  Server server_;
  ReplicaPolicy& policy_;
  std::int64_t second_ = 0;
  std::int64_t next_;
};

Timeline replay(const Trace& trace, const Workload& workload, ReplicaPolicy& policy, int replicas);

// With how many pods policies begin: enough for the mean of the trace's first minute at 70 % of
// what a pod can serve, within the limits.
int first_replicas(const Trace& trace, const Workload& workload);

}  // namespace mcpfleet::simulation
