// What decides about the replicas of each MCPServer, shared by the scaling loop, which feeds it,
// and the reconciler, which writes down what it says: the AutoScaler of its rules, and the Scaler
// that combines their floor with the other recommenders.
//
// Thread safety: all functions from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "desired/status.h"
#include "fleet/mcp_server.h"
#include "fleet/status.h"
#include "operator/metric_reader.h"
#include "scaling/autoscaler.h"
#include "scaling/decision_log.h"
#include "scaling/facts.h"
#include "scaling/policy.h"
#include "scaling/scaler.h"

namespace mcpfleet::op {

// One reading for one server.
struct Measured {
  std::string metric;
  std::string tool;
  scaling::Sample sample;
};

// The replicas of a workload: all of its pods, and as deciding counts them.
struct Replicas {
  int observed = 0;
  scaling::Pods pods;
};

// What a second brought.
struct Tick {
  std::vector<Measured> measured;  // for rules
  // For the recommenders. Time and pods are set from the other arguments.
  scaling::Facts facts;
  std::string why_missing;  // a sentence about a measurement that is missing; may be empty
};

// What is to be done after it.
struct Ticked {
  bool tell = false;                             // the status should say something new
  std::optional<int> write;                      // replicas, where the operator writes them
  std::optional<scaling::LoggedDecision> begun;  // a decision unlike the one before
  int advised = 0;
};

// What is decided of a server now.
struct ScalingView {
  fleet::ScalingStatus status;  // to be stored before its recommendation counts
  std::vector<fleet::MetricReading> readings;
  std::vector<std::string> rule_problems;
  std::vector<std::string> metric_problems;
  std::optional<desired::Limit> limit;
  std::optional<scaling::Outcome> cause;  // of the last decision, where a rule of this life made it
};

class Scalers {
 public:
  // As of the last evaluation. A server not seen before goes on from its stored status, and is
  // evaluated without samples: its recommendation is then the stored one or the minimum.
  // fleet::decides() must hold for the server.
  ScalingView view(const fleet::MCPServer& server, const Replicas& replicas, WallTime now);

  // Feeds rules and recommenders, and decides.
  Ticked tick(const fleet::MCPServer& server, Tick tick, const Replicas& replicas, WallTime now);

  // What is remembered of a load from before, the oldest first: for the forecast, and only before
  // the first tick with a value of it.
  void recall(const fleet::MCPServer& server, scaling::Signal signal,
              const std::vector<PastMinute>& minutes, const Replicas& replicas, WallTime now);

  // The operator wrote the replicas that a tick asked for, where there were `before`: until the
  // workload shows it, that count is taken for granted.
  void wrote(const std::string& key, int before, int replicas, WallTime now);

  void forget(const std::string& key);

 private:
  struct Written {
    int before = 0;
    int replicas = 0;
    WallTime until{};
  };
  struct Entry {
    std::string uid;
    std::int64_t generation = 0;
    fleet::ScalingStatus stored;  // what the life before wrote
    scaling::AutoScaler rules;
    scaling::Evaluation last;
    std::optional<scaling::Outcome> cause;
    scaling::Policy policy;
    scaling::Scaler scaler;
    scaling::DecisionLog log{fleet::kMaxDecisions};
    scaling::Verdict verdict;
    bool noted = false;  // the log has something
    std::vector<std::string> metric_problems;
    std::optional<fleet::Decision> last_change;  // of this life
    std::optional<Written> written;
  };
  Entry& entry_of(const fleet::MCPServer& server, const Replicas& replicas, WallTime now);
  static void evaluate_rules(Entry& entry, const fleet::MCPServer& server, int observed,
                             WallTime now);
  static void decide(Entry& entry, const fleet::MCPServer& server, const scaling::Facts& facts);
  static std::optional<scaling::LoggedDecision> note(Entry& entry);
  static fleet::ScalingStatus status_of(const Entry& entry, const fleet::MCPServer& server);

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // by server key
};

}  // namespace mcpfleet::op
