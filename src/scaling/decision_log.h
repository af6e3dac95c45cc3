// The last decisions of a server, for status, `kubectl mcp explain` and logs.
//
// A decision that changes nothing ("stay") grows the entry before it if that stayed for the same
// reason, and takes its place if it stayed for another, so that stays never push changes out. The
// same change decided again, before the workload shows it or in DryRun, grows its entry, too.
// Sentences are made when an entry begins, and not again.
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
  WallTime last{};          // of the last decision in it
  std::uint64_t count = 1;  // of the decisions in it
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

enum class Noted : std::uint8_t {
  Nothing,  // the newest entry grew: nothing to be written
  Stay,     // it stays for another reason: to be written when there is time
  Change    // other replicas: to be written, an Event and a log line
};

class DecisionLog {
 public:
  // Keeps so many entries; at least one.
  explicit DecisionLog(std::size_t keep = 10) : keep_(keep) {}

  // Notes a decision. `rules`: as for explain().
  Noted note(const Policy& policy, const Verdict& verdict, const fleet::Decision* rules = nullptr);

  // The newest is the last.
  const std::deque<LoggedDecision>& entries() const { return entries_; }

 private:
  std::size_t keep_;
  std::deque<LoggedDecision> entries_;
  Verdict last_;  // of the newest entry
};

// As status.scaling.lastDecision has it.
fleet::Decision to_decision(const LoggedDecision& entry);

}  // namespace mcpfleet::scaling
