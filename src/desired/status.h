// From what was observed to the status that people read: counts, address, scaling, conditions.
//
// Pure: time is a parameter. Thread safety: free functions without state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "desired/desired.h"
#include "desired/observed.h"
#include "fleet/mcp_server.h"
#include "fleet/references.h"

namespace mcpfleet::desired {

struct Limit {
  std::string_view reason;
  std::string message;
};

struct Observed {
  std::optional<Refusal> refusal;                // absent: everything wanted was applied
  std::optional<ObservedDeployment> deployment;  // absent: does not exist
  // With a workload_ref, instead of `deployment`. Absent: not looked at yet.
  std::optional<ObservedWorkload> workload;
  // Secrets and ConfigMaps that are needed and do not exist: the spec is not accepted until they
  // do.
  std::vector<fleet::Reference> missing;
  // What else scales the same workload: "HorizontalPodAutoscaler x", "ScaledObject y". Then ours is
  // not made.
  std::vector<std::string> other_scalers;
  // What the server says of itself; absent: as it is stored.
  std::optional<fleet::ServerInfo> server_info;
  std::optional<ObservedHpa> hpa;               // ours; absent: does not exist
  std::vector<ObservedPod> pods;                // of this server
  std::vector<std::string> notes;               // Desired::notes
  std::optional<std::int64_t> active_sessions;  // absent: not known
  // Of rules and recommenders; its `metrics` are set here from the HPA's and `rule_metrics`.
  // Absent: there are none.
  std::optional<fleet::ScalingStatus> scaling;
  std::vector<fleet::MetricReading> rule_metrics;  // scaling::Evaluation::readings
  std::vector<std::string> rule_problems;          // rules that have no data, a sentence each
  std::vector<std::string> metric_problems;        // targets that have none, a sentence each
  // What keeps our own recommendation from what the load asks for; absent: nothing does. `reason`:
  // one of ScalingLimited's.
  std::optional<Limit> limit;
};

// The new status. `server.status` is the previous one: a condition's last_transition is kept while
// its status is the same. For an object that fleet::decode() refuses pass decode_identity()'s, with
// `refusal`: replicas, address and scaling then stay as they were, for the last good state keeps
// running.
fleet::Status build_status(const fleet::MCPServer& server, const Observed& observed, WallTime now);

// How much a status differs from the one that is stored.
enum class Change {
  None,      // nothing to write
  Numbers,   // only live numbers (metrics, sessions): write it seldom, at most every 30 s a server
  Material,  // a decision, condition, count or address: write it at once
};
Change compare(const fleet::Status& stored, const fleet::Status& fresh);
// compare() == Material.
bool material_change(const fleet::Status& stored, const fleet::Status& fresh);

}  // namespace mcpfleet::desired
