// What is known of one pod of a server.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "routing/ejection.h"
#include "routing/endpoints.h"
#include "routing/pod_health.h"

namespace mcpfleet::routing {

// Names a pod of a PodSet for as long as it is there, and nothing afterwards: what is told of a pod
// that has gone, changes nothing.
struct PodId {
  std::uint32_t slot = 0;
  std::uint32_t life = 0;  // 0: no pod
  bool operator==(const PodId&) const = default;
};

// How a call ended at its pod.
enum class Outcome : std::uint8_t {
  Success,
  CallError,      // a JSON-RPC error, a tool's isError, or a status >= 500 but 502, 503, 504
  ConnectFailed,  // refused, unreachable, or not in time
  BadStatus,      // 502, 503 or 504
  Broken,         // the connection broke, or the answer cannot be understood
  TimedOut,       // no whole answer in the time for a call
  Cancelled,      // the client went away; nobody knows how it would have ended
};

// What counts in the error rate.
constexpr bool is_error(Outcome outcome) {
  return outcome != Outcome::Success && outcome != Outcome::Cancelled;
}

// What says that the pod is not well. A tool's own error does not: the pod did what it should.
constexpr bool is_failure(Outcome outcome) {
  return is_error(outcome) && outcome != Outcome::CallError;
}

// The statistics of a pod, as this process saw it since it knows the pod.
struct PodStats {
  std::uint64_t requests = 0;   // that ended
  std::uint64_t errors = 0;     // of them
  std::uint64_t timed = 0;      // requests of which the time counts: neither failed nor cancelled
  Duration total_time{0};       // of those
  double average_seconds = 0;   // of the recent ones: exponentially weighted; 0: none
  std::uint32_t in_flight = 0;  // calls
  std::uint32_t sessions = 0;   // live ones
  std::optional<MonotonicTime> last_use;  // when a call began or ended

  // Of all: 0 where there was none.
  double mean_seconds() const;
  double error_ratio() const;  // 0 … 1

  void began(MonotonicTime now);
  void ended(Outcome outcome, Duration took, MonotonicTime now);
};

struct Pod {
  PodId id;
  Endpoint endpoint;
  int weight = 1;         // with the policy Weighted: of its zone
  bool draining = false;  // it refused a new session because it is about to end
  PodStats stats;
  Ejection ejection;
  PodHealth health;
  double turn = 0;  // what the policies that go round know of it

  // Neither ejected nor found down by the active check.
  bool up(MonotonicTime now) const { return health.healthy() && !ejection.ejected(now); }
};

}  // namespace mcpfleet::routing
