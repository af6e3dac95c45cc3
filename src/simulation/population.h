// A fleet of many servers, each with a day curve of its own, to plan what is larger than the
// machine at hand.
//
// Servers differ in size, in the hour of their peak and in the height of their nights, as a seed
// draws it; calls of each second come by chance. One server is simulated after the other, so that
// what it needs stays in the cache. Pure. Thread safety: free functions and plain values.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "fleet/mcp_server.h"
#include "simulation/contestant.h"
#include "simulation/replay.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

struct Population {
  int servers = 10'000;
  int hours = 24;
  std::uint64_t seed = 1;
  // The mean load of a server is from `least` to `most` calls a second, small ones being the many:
  // the logarithm is drawn evenly.
  double least = 1;
  double most = 200;
};

struct PopulationResult {
  Totals calls;  // of all servers; peak_replicas is that of the largest
  double server_seconds = 0;
  double pod_seconds = 0;
  int peak_pods = 0;             // of all servers together, at one second
  std::int64_t peak_second = 0;  // the first one with so many
  int servers_over = 0;  // servers that were over the objective for more than 1 % of the time
};

// Error: Invalid, of what cannot be simulated.
Result<PopulationResult> simulate(const Population& population, const Contestant& who,
                                  const fleet::MCPServer& server, const Workload& workload);

}  // namespace mcpfleet::simulation
