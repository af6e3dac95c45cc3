// What is simulated: a pod, what its callers expect, and the limits of replicas. Plain values.
#pragma once

#include "base/result.h"

namespace mcpfleet::simulation {

// A pod, as the model knows it. All pods of a server are alike.
struct PodShape {
  double concurrency = 10;       // calls that it serves at once; > 0
  double service_seconds = 0.1;  // of each call, from the moment it is served; > 0
  int start_seconds = 10;        // from the write of replicas until it serves
  int stop_seconds = 5;          // what a pod that had served is paid for after it was removed
  double cpu_percent = 100;      // of its CPU request, while it serves as many calls as it can

  // Calls a second that it can serve.
  double rate() const { return concurrency / service_seconds; }
};

// What callers expect.
struct Objective {
  double seconds = 0.5;         // a call is late when it took longer, waiting included
  double share = 0.95;          // a second is over the objective when fewer calls than this were
                                // in time; p95 ≤ seconds is 0.95
  double timeout_seconds = 30;  // whoever has waited so long goes away: the call is lost

  // How long a call may wait before it is served; below 0: no number of pods can meet the
  // objective.
  double wait_seconds(const PodShape& pod) const { return seconds - pod.service_seconds; }
};

struct Limits {
  int min_replicas = 1;
  int max_replicas = 100;
};

inline constexpr int kMaxStartSeconds = 600;
inline constexpr int kMaxTimeoutSeconds = 120;

// What all policies of a comparison have in common.
struct Workload {
  PodShape pod;
  Objective objective;
  Limits limits;
};

// Error: Invalid, a sentence that says which value is outside of what the model can do.
Result<void> check(const Workload& workload);

}  // namespace mcpfleet::simulation
