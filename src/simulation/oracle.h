// The oracle: the least replicas that hold the objective, by one who knows the trace beforehand.
//
// First, for each second in turn, the fewest serving pods with which no call is late, none that
// waits must become so, and minReplicas and maxReplicas hold. Then, since a pod is paid for while
// it starts and stops, a pod that is needed again after a gap is kept where that is cheaper; and
// each pod is written as long before it is needed as it takes to start. Those of the first seconds
// serve from the beginning.
//
// It is a bound for comparing, not a proof: with an objective of many seconds one who lets calls
// wait more cleverly could do with a little less. Pure. Thread safety: free functions.
#pragma once

#include <vector>

#include "simulation/trace.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

struct Plan {
  std::vector<int> needed;    // pods that have to serve, by second
  std::vector<int> serving;   // those that serve by the plan: gaps are bridged
  std::vector<int> replicas;  // what is to be written, by second
  bool limited = false;       // maxReplicas are not enough: some calls are late all the same
  bool hopeless = false;  // serving alone takes longer than the objective: the plan is then that
                          // nobody waits
};

Plan plan(const Trace& trace, Workload workload);

}  // namespace mcpfleet::simulation
