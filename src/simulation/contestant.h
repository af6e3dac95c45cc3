// Policies by name: mcpfleet's own, and those that it is compared with.
//
// Pure. Thread safety: free functions and plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/mcp_server.h"
#include "simulation/policy.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

// Whose policy it is.
enum class Side {
  Ours,
  Rival,
  Bound,  // knows the trace beforehand: the oracle, and a constant that is enough for its peak
};

struct Contestant {
  const char* name;
  Side side;
  const char* title;  // half a sentence for people
};

// All of them, in the order of tables.
const std::vector<Contestant>& contestants();
// Null where nobody has this name.
const Contestant* find_contestant(std::string_view name);

// At which second each loop begins. Loops of the same kind have the same phase in all policies.
struct Phases {
  int sync = 0;    // the HPA's, below 15
  int scrape = 0;  // Prometheus' and metrics-server's, below 60
  int poll = 0;    // KEDA's, below 30
};
Phases draw_phases(std::uint64_t seed);

// A policy that does not know the trace, for one server that begins with `replicas` pods. What it
// aims at is what `server` says, for rivals too. `workload`'s limits are those of the server.
// Error: Invalid, of what cannot be simulated.
Result<std::unique_ptr<ReplicaPolicy>> make_policy(const Contestant& who,
                                                   const fleet::MCPServer& server,
                                                   const Workload& workload, const Phases& phases,
                                                   int replicas);

}  // namespace mcpfleet::simulation
