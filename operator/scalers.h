// The AutoScaler of each MCPServer with rules, shared by the scaling loop, which feeds them, and
// the reconciler, which writes down what they say.
//
// Thread safety: all functions from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fleet/mcp_server.h"
#include "fleet/status.h"
#include "scaling/autoscaler.h"

namespace mcpfleet::op {

// One reading for one server.
struct Measured {
  std::string metric;
  std::string tool;
  scaling::Sample sample;
};

// What the rules of a server say now.
struct RulesView {
  fleet::ScalingStatus status;  // to be stored before its recommendation counts
  std::vector<fleet::MetricReading> readings;
  std::vector<std::string> problems;
  bool limited = false;
  std::optional<scaling::Outcome> cause;  // of the last decision, where a rule of this life made it
};

class Scalers {
 public:
  // As of the last evaluation. A server not seen before goes on from its stored status, and is
  // evaluated without samples: its recommendation is then the stored one or the minimum. `server`
  // must have rules.
  RulesView view(const fleet::MCPServer& server, int observed_replicas, WallTime now);

  // Feeds the rules and evaluates them. True when the status should say something new.
  bool tick(const fleet::MCPServer& server, const std::vector<Measured>& measured,
            int observed_replicas, WallTime now);

  void forget(const std::string& key);

 private:
  struct Entry {
    std::string uid;
    std::int64_t generation = 0;
    scaling::AutoScaler scaler;
    scaling::Evaluation last;
    std::optional<scaling::Outcome> cause;
  };
  Entry& entry_of(const fleet::MCPServer& server, int observed_replicas, WallTime now);
  static void evaluate(Entry& entry, const fleet::MCPServer& server, int observed_replicas,
                       WallTime now);

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // by server key
};

}  // namespace mcpfleet::op
