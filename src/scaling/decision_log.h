// The last decisions of a server, for status, `kubectl mcp explain` and logs.
//
// A decision that changes nothing ("stay") grows the entry before it, if that stayed for the same
// reason, so that a quiet server's log does not change at all; a change of replicas is always an
// entry of its own. Sentences are made when an entry begins, and not again.
//
// Pure: no clock. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fleet/status.h"
#include "scaling/policy.h"
#include "scaling/verdict.h"

namespace mcpfleet::scaling {

struct LoggedInput {
  std::string metric;  // "mcp_requests_per_second"
  double value = 0;    // a load: of all pods together
  Duration over{0};    // 0: one measurement
  Duration age{0};     // when the entry began
  bool operator==(const LoggedInput&) const = default;
};

struct LoggedDecision {
  WallTime since{};         // when the entry began
  WallTime last{};          // the last decision in it; grows without a new revision
  std::uint64_t count = 1;  // decisions in it; grows without a new revision
  int from = 0;
  int to = 0;           // the same: stay
  int advised = 0;      // what would be done, where the mode does not act
  bool acted = true;    // false in DryRun and Paused
  std::string by;       // name of the recommender
  std::string rule;     // of the rules or the schedule behind it; may be empty
  std::string reason;   // one of reasons.h
  std::string message;  // explain()
  std::vector<LoggedInput> inputs;
  std::vector<std::string> limits;  // names of what clipped it
};

class DecisionLog {
 public:
  explicit DecisionLog(std::size_t keep = 10) : keep_(keep) {}

  // Notes a decision. True where status and log should say something new: an entry was begun.
  // `rules`: as for explain().
  bool note(const Policy& policy, const Verdict& verdict, const fleet::Decision* rules = nullptr);

  // The newest is the last.
  const std::deque<LoggedDecision>& entries() const { return entries_; }

 private:
  bool same(const Policy& policy, const Verdict& verdict) const;

  std::size_t keep_;
  std::deque<LoggedDecision> entries_;
  Verdict last_;  // whose numbers began or grew the newest entry
};

// As status.scaling.lastDecision has it.
fleet::Decision to_decision(const LoggedDecision& entry);

}  // namespace mcpfleet::scaling
