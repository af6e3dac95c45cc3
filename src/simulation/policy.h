// What decides replicas in a simulation: the product's own deciding code, its rivals', an oracle.
//
// A policy sees what its pipeline could have shown it, and says how many replicas it wants. It
// belongs to one server and one thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "simulation/history.h"
#include "simulation/wait_window.h"

namespace mcpfleet::simulation {

// What there is to be seen of a server.
struct Seen {
  std::int64_t second = 0;  // since the trace began
  int ready = 0;            // pods that serve
  int replicas = 0;         // that were written last: pods that serve or start
  double service_seconds = 0;
  const History& history;
  const WaitWindow& waits;

  // What a share of the calls of the last half minute took at most, in seconds.
  double latency(double share) const { return service_seconds + waits.quantile(share); }
};

class ReplicaPolicy {
 public:
  virtual ~ReplicaPolicy() = default;
  // Asked at second phase(), and then every period() seconds.
  virtual int period() const = 0;
  virtual int phase() const { return 0; }
  // The replicas that it writes. They are not limited again.
  virtual int decide(const Seen& seen) = 0;
};

// As many as were planned for each second: the oracle, and a constant.
class PlannedPolicy final : public ReplicaPolicy {
 public:
  explicit PlannedPolicy(std::vector<int> replicas) : replicas_(std::move(replicas)) {}
  int period() const override { return replicas_.size() > 1 ? 1 : 3600; }
  int decide(const Seen& seen) override {
    const auto at = static_cast<std::size_t>(seen.second);
    return at < replicas_.size() ? replicas_[at] : replicas_.back();
  }

 private:
  std::vector<int> replicas_;
};

}  // namespace mcpfleet::simulation
