// Workloads for the tests of the simulation.
#pragma once

#include "simulation/trace.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

// Pods that carry 100 calls/s each and start within 10 s; a call takes 0.1 s and may wait 0.4 s.
inline Workload plain_workload() {
  return {{.concurrency = 10, .service_seconds = 0.1, .start_seconds = 10, .stop_seconds = 5},
          {.seconds = 0.5, .share = 0.95, .timeout_seconds = 30},
          {1, 100}};
}

// `seconds` of the same rate behind what is there already.
inline void append(Trace& trace, double rate, int seconds) {
  trace.arrivals.insert(trace.arrivals.end(), static_cast<std::size_t>(seconds), rate);
}

}  // namespace mcpfleet::simulation
