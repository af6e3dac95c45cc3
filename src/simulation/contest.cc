#include "simulation/contest.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace mcpfleet::simulation {

Contest::Contest(fleet::MCPServer server, const Workload& workload, Trace trace, std::uint64_t seed)
    : server_(std::move(server)),
      workload_(workload),
      trace_(std::move(trace)),
      plan_(simulation::plan(trace_, workload_)),
      phases_(draw_phases(seed)) {
  PlannedPolicy oracle(plan_.replicas);
  oracle_pod_seconds_ = replay(trace_, workload_, oracle, plan_.replicas.front()).pod_seconds;
}

Standing Contest::judge(const Contestant& who, ReplicaPolicy& policy, int replicas) const {
  Standing standing{&who, {}, replay(trace_, workload_, policy, replicas)};
  standing.score = score(standing.timeline, plan_, oracle_pod_seconds_);
  return standing;
}

Result<Standing> Contest::run(const Contestant& who) const {
  if (who.side == Side::Bound) {
    const int peak = *std::max_element(plan_.serving.begin(), plan_.serving.end());
    const bool oracle = std::string_view(who.name) == "oracle";
    const std::vector<int> replicas = oracle ? plan_.replicas : std::vector<int>{peak};
    PlannedPolicy policy(replicas);
    return judge(who, policy, replicas.front());
  }
  const int replicas = first_replicas(trace_, workload_);
  auto policy = make_policy(who, server_, workload_, phases_, replicas);
  if (!policy) return fail(policy.error());
  return judge(who, **policy, replicas);
}

}  // namespace mcpfleet::simulation
