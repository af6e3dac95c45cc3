// Panic: a load that within seconds is a multiple of what the pods shall carry.
//
// As in Knative (pkg/autoscaler/scaling/autoscaler.go): begins when the short window reaches
// `threshold` percent of what the pods shall carry, ends a stable window after it last did, and in
// between the greatest answer holds. Unlike there, starting and outdated pods are part of what is
// measured against (the one were asked for already, the other still serve), and a load must exceed
// chance: one call more than a single pod shall carry is no panic. Pure. Thread safety: one thread
// at a time.
#pragma once

#include "base/clock.h"
#include "scaling/facts.h"
#include "scaling/load.h"
#include "scaling/policy.h"
#include "scaling/proposal.h"

namespace mcpfleet::scaling {

class PanicWindow {
 public:
  // One load at its target: begins, prolongs or raises the panic. Call it for each load that is
  // known.
  void see(const Panic& panic, const Load& load, double target, const Pods& pods, WallTime now);
  // After all loads: ends the panic where its time has come.
  void settle(const Panic& panic, WallTime now);
  void stop() { active_ = false; }
  void pull_back(WallTime now);

  bool active() const { return active_; }
  // The greatest answer of this panic, and the load behind it. Only while active().
  const Proposal& proposal() const { return peak_; }

 private:
  bool active_ = false;
  WallTime last_over_{};  // when it was last over the threshold
  Proposal peak_{};
};

}  // namespace mcpfleet::scaling
