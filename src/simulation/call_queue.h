// The calls that wait: one first-in-first-out queue in front of all pods of a server, as a fluid.
//
// Within a second calls arrive evenly and are served evenly, so that how long each one waited is a
// straight line between the two, and late calls are counted without following single ones. What
// varies from second to second is in the trace. Nothing is allocated. Thread safety: a queue
// belongs to one thread at a time.
#pragma once

#include <array>
#include <cstdint>

#include "simulation/wait_window.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

// What happened in one second. Counts of calls are fractions, for it is a fluid.
struct CallSecond {
  double served = 0;      // left the queue and were served
  double late = 0;        // of them: took longer than the objective
  double lost = 0;        // gave up
  double wait_sum = 0;    // seconds that the served ones had waited, together
  double worst_wait = 0;  // the longest wait among them, seconds
  bool over = false;      // fewer were in time than the objective asks for
};

class CallQueue {
 public:
  explicit CallQueue(const Workload& workload);

  // One second: `arrivals` come evenly, and `capacity` can be served.
  CallSecond step(double arrivals, double capacity) {
    if (waiting_ == 0 && arrivals <= capacity) {
      // Everybody is served on arrival: only a service time above the objective makes them late.
      ++second_;
      head_ = second_;
      if (waits_.any) waits_ = {};
      CallSecond result;
      result.served = arrivals;
      if (hopeless_ && arrivals > 0) {
        result.late = arrivals;
        result.over = true;
      }
      return result;
    }
    return queued_step(arrivals, capacity);
  }

  double waiting() const { return waiting_; }
  // How long those waited who left in the last second.
  const WaitSecond& waits() const { return waits_; }
  // Seconds that the first in the queue has waited; 0 without one.
  double oldest() const;

 private:
  // The calls of one second that are not served yet.
  struct Cohort {
    double arrived = 0;
    double gone = 0;  // of them, from the first on
  };
  // A place in the queue's time within one step.
  struct Cursor {
    double now = 0;
    double end = 0;
    double capacity = 0;
  };
  static constexpr std::uint32_t kSlots = 128;  // a power of two above the longest timeout
  static_assert(kSlots > kMaxTimeoutSeconds + 2);

  Cohort& cohort(std::int64_t second) {
    return cohorts_[static_cast<std::uint64_t>(second) % kSlots];
  }
  const Cohort& cohort(std::int64_t second) const {
    return cohorts_[static_cast<std::uint64_t>(second) % kSlots];
  }
  CallSecond queued_step(double arrivals, double capacity);
  void give_up(CallSecond& result);
  void serve_old(Cursor& cursor, CallSecond& result);
  void serve_new(Cursor& cursor, CallSecond& result);
  // `count` calls left after waits that go evenly from `first` to `last`.
  void leave(double count, double first, double last, CallSecond& result);
  void judge(CallSecond& result) const;

  double allowed_wait_;
  double allowed_misses_;  // share of calls
  double timeout_;
  bool hopeless_;  // a call is late even if it never waits
  double waiting_ = 0;
  std::int64_t second_ = 0;  // that begins with the next step
  std::int64_t head_ = 0;    // the oldest second with calls that wait
  WaitSecond waits_;
  std::array<Cohort, kSlots> cohorts_;
};

}  // namespace mcpfleet::simulation
