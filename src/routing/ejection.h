// Leaves a pod out for a time when its calls fail one after the other, and lets it come back
// slowly.
//
// Pure. Thread safety: none; one owner.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "fleet/gateway_settings.h"

namespace mcpfleet::routing {

class Ejection {
 public:
  // The share of its full weight that a pod begins with when it comes back.
  static constexpr double kFirstWeight = 0.1;

  // A call ended well: failures in a row are forgotten. One that is ejected stays so.
  void succeeded() { failures_ = 0; }
  // A call failed. True: it is one too many, and the pod should be ejected. After its return, and
  // until a first success, one is.
  bool failed(const fleet::Ejection& settings, MonotonicTime now);

  // Ejects from now on: for the base time, twice as long each time after that, up to the maximum.
  // A maximum's time without an ejection takes one step back. How long it will be.
  Duration eject(const fleet::Ejection& settings, MonotonicTime now);

  bool ejected(MonotonicTime now) const { return now < until_; }
  // When it comes back, or came back last; MonotonicTime::min() if it was never ejected.
  MonotonicTime until() const { return until_; }
  // What share of the calls of a pod that was always in it should get: (0, 1]. It grows straight
  // during the slow start, and is 1 otherwise.
  double weight(const fleet::Ejection& settings, MonotonicTime now) const;

  std::uint64_t times() const { return times_; }  // that it was ejected
  int failures_in_row() const { return failures_; }

 private:
  int failures_ = 0;  // in a row
  int step_ = 0;      // of the ejection time: 0 before the first
  std::uint64_t times_ = 0;
  MonotonicTime until_ = MonotonicTime::min();
};

}  // namespace mcpfleet::routing
