// How many of the calls in flight only wait for pods that still start.
//
// While pods start, callers pile up at those that are ready, and calls in flight then tell how long
// the start takes rather than how much is asked for. By Little's law what is asked for is arrivals
// a second × the time that a call takes where nobody waits, which is learnt while no pod starts.
// Arrivals are what ends plus what piles up. Pure. Thread safety: one thread at a time.
#pragma once

#include <limits>

#include "base/clock.h"
#include "scaling/facts.h"

namespace mcpfleet::scaling {

class Backlog {
 public:
  // A second's means over the short window, and the last value of the calls in flight. `window`:
  // the short one.
  void observe(const Pods& pods, double rate, double in_flight, double last_in_flight,
               Duration window, WallTime now);
  // The most calls in flight that may be asked pods for, now. Infinite while nothing starts, soon
  // after, or where a call's time is not known. Never below what `wanted` pods shall carry at
  // `per_pod`: what was asked for is not taken back.
  double most(const Pods& pods, double per_pod) const;
  void pull_back(WallTime now);

 private:
  bool known_ = false;
  bool started_ = false;   // some pod ever started
  bool starting_ = false;  // one starts now, or did a little while ago
  double call_seconds_ = 0;
  double demand_ = 0;  // calls in flight, if nobody waited
  WallTime last_starting_{};
  WallTime last_{};
};

}  // namespace mcpfleet::scaling
