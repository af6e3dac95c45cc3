// The status of an MCPServer as plain values: what the operator says about it, and what must
// survive the operator's death (decision and firing times, the recommendation).
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace mcpfleet::fleet {

enum class ConditionStatus { True, False, Unknown };

// metav1.Condition. Types and reasons: the closed lists in desired/reasons.h.
struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::Unknown;
  std::string reason;
  std::string message;
  WallTime last_transition{};  // when `status` last changed
  std::int64_t observed_generation = 0;
  bool operator==(const Condition&) const = default;
};

// A metric that scaling looks at, as people read it. Values are quantities or percents ("70%").
struct MetricReading {
  std::string name;     // "mcp_requests_per_second", "cpu", with the tool: "…_p95 tool=search"
  std::string current;  // empty: unknown
  std::string target;
  WallTime time{};  // when `current` was seen to change
  bool operator==(const MetricReading&) const = default;
};

// What a decision looked at, as people read it.
struct DecisionInput {
  std::string name;
  std::string value;        // empty: missing
  std::string target = {};  // empty: none
  int age_seconds = 0;
  bool operator==(const DecisionInput&) const = default;
};

// A decision of the recommenders; one that stays stands for all alike that followed it.
struct ScalingDecision {
  WallTime time{};  // of the first of those alike
  int from = 0;     // replicas
  int to = 0;       // replicas
  std::string by;   // the recommender
  std::string rule = {};
  std::string reason;
  std::string message;
  std::vector<std::string> limits = {};  // what clipped it
  std::vector<DecisionInput> inputs = {};
  bool operator==(const ScalingDecision&) const = default;
};

// Why the recommendation changed last.
struct Decision {
  WallTime time{};
  int from = 0;         // replicas
  int to = 0;           // replicas
  std::string rule;     // empty: no rule, such as a release of the floor
  std::string reason;   // one of scaling's reasons
  std::string message;  // a sentence for people
  bool operator==(const Decision&) const = default;
};

// status.scaling: also the whole memory of the rules between two lives of the operator.
struct ScalingStatus {
  int recommended_replicas = 0;  // what is served as mcp_recommended_replicas; 0: never evaluated
  int floor = 0;                 // of the rules; 0: there are none, or they were never evaluated
  std::string mode;              // of the last decision; empty: none was made
  std::optional<int> would_be;   // mode DryRun: the replicas there would be
  std::vector<ScalingDecision> decisions;  // the newest first, at most kMaxDecisions
  std::vector<MetricReading> metrics;
  std::optional<Decision> last_decision;
  std::map<std::string, WallTime> last_fired;  // by rule name
  std::optional<WallTime> last_released;       // when the floor was last lowered without a rule
  bool operator==(const ScalingStatus&) const = default;
};

inline constexpr std::size_t kMaxDecisions = 5;

// What the MCP server said about itself.
struct ServerInfo {
  std::string name;
  std::string version;
  std::vector<std::string> protocol_versions;  // such as "2025-11-25"
  std::vector<std::string> capabilities;       // names: "tools", "resources", "prompts", …
  std::string revision;                        // the pod-template-hash of the pod that was asked
  bool operator==(const ServerInfo&) const = default;
};

struct Status {
  std::int64_t observed_generation = 0;
  int replicas = 0;
  int ready_replicas = 0;
  std::string selector;                   // of the pods, for the scale subresource
  std::string address_url;                // empty: none yet
  std::optional<ServerInfo> server_info;  // absent: never asked
  std::optional<std::int64_t> active_sessions;
  std::optional<ScalingStatus> scaling;
  std::vector<Condition> conditions;
  bool operator==(const Status&) const = default;
};

// The condition of that type, or nullptr.
const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);
const Condition* find_condition(const Status& status, std::string_view type);

// The JSON text of `status` (the value, without {"status": …}). The same input gives the same
// bytes. Times are whole seconds.
std::string encode_status(const Status& status);

// Reads a status back. It is our own writing, but anybody may have edited it: what cannot be read
// is left out, because a broken status must never stop a server from being run.
Status decode_status(std::string_view text);

}  // namespace mcpfleet::fleet
