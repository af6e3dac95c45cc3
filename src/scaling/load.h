// A signal as the recommenders see it: its means, and what of them is more than chance.
//
// Thread safety: plain values; pure, free functions.
#pragma once

#include "base/clock.h"
#include "scaling/facts.h"
#include "scaling/proposal.h"

namespace mcpfleet::scaling {

// For CPU and memory the unit is a percent of one pod, so that they add up as loads do.
struct Load {
  Signal signal = Signal::RequestsPerSecond;
  int heard = 0;            // pods that the value was taken from
  int unheard = 0;          // serving pods that the value was not taken from
  double steady = 0;        // the mean over the stable window; without windows the last value
  double surge = 0;         // what the short window shows beyond chance; 0 without windows
  Duration steady_over{0};  // 0: one measurement
  Duration surge_over{0};
  Duration age{0};
  bool without_backlog = false;  // callers that wait for starting pods are left out

  double greatest() const { return surge > steady ? surge : steady; }
  // Of greatest(); of CPU and memory the mean of a pod.
  Input input() const;
};

// The least that a mean over `window` can stand for: so many times the error that chance leaves in
// it below the mean. Rises with the mean. Calls a second are counted one by one; of calls in
// flight, one second's are much the same calls as the next one's; sessions are all there is to
// know.
double beyond_chance(Signal signal, double mean, Duration window, double errors = 2);

// How many pods carry `load` at `per_pod` each, 0 to kMostReplicas. `per_pod` above 0.
int pods_for(double load, double per_pod);

}  // namespace mcpfleet::scaling
