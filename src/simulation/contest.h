// A trace, and how policies did on it: all with the same pods, limits and targets.
//
// Pure. Thread safety: a Contest belongs to one thread at a time.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "fleet/mcp_server.h"
#include "simulation/contestant.h"
#include "simulation/oracle.h"
#include "simulation/replay.h"
#include "simulation/score.h"
#include "simulation/trace.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

struct Standing {
  const Contestant* who = nullptr;
  Score score;
  Timeline timeline;
};

class Contest {
 public:
  // `trace` has at least a second. `workload`'s limits are those of the server. `seed` draws the
  // phases of all loops.
  Contest(fleet::MCPServer server, const Workload& workload, Trace trace, std::uint64_t seed);

  // Replays the trace. Error: Invalid, of what cannot be simulated.
  Result<Standing> run(const Contestant& who) const;

  const Trace& trace() const { return trace_; }
  const Workload& workload() const { return workload_; }
  const Plan& plan() const { return plan_; }

 private:
  Standing judge(const Contestant& who, ReplicaPolicy& policy, int replicas) const;

  fleet::MCPServer server_;
  Workload workload_;
  Trace trace_;
  Plan plan_;
  Phases phases_;
  double oracle_pod_seconds_ = 0;
};

}  // namespace mcpfleet::simulation
