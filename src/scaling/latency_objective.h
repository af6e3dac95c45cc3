// The latency objective: latency is the guard, load the driver.
//
// `replicas × latency / objective` is unstable, for latency is not proportional to anything that
// pods change. Instead it is learnt what load a ready pod carries within the objective, and pods
// are asked for by load:
//
//  - `carried`: the most load a pod at which the objective was met. It proves that so much can be
//    carried; fewer pods than it needs (and a tenth of curiosity) are not asked for.
//  - `refused`: the least load a pod at which it was missed, less the more it was missed by. Pods
//    are asked for so that each stays a tenth below it. Only it ever asks for more pods.
//
// Both fade within minutes, so that a server that became quicker or slower is learnt anew; a miss
// counts once a latency window, at the greatest load of that window (latency lags behind load).
// The load is calls in flight, or calls a second where those are not known. Learning starts with
// kSamples latencies; nothing is learnt below `floor`, where a pod has hardly a call at a time:
// what misses the objective there no number of pods can meet. Neither can what did not get better
// as the load a pod fell. Pure. Thread safety: one thread at a time.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "scaling/facts.h"
#include "scaling/load.h"
#include "scaling/load_window.h"
#include "scaling/policy.h"
#include "scaling/proposal.h"

namespace mcpfleet::scaling {

class LatencyObjective {
 public:
  static constexpr int kSamples = 10;
  // What a window of latency is taken to cover; also the time between two misses that count.
  static constexpr Duration kWindow = std::chrono::seconds(30);

  // What a pod that serves carried in this second (its share of the short mean of `driver`);
  // before judge().
  void carry(const LatencyTarget& target, Signal driver, double per_pod, WallTime now);
  // A new latency, in seconds.
  void judge(const LatencyTarget& target, double latency, WallTime now);

  // More load never gives fewer replicas, as long as nothing is learnt in between. `load` is of the
  // driver; `latency` is the last one, for the explanation, null where there is none.
  Proposal propose(const LatencyTarget& target, const Load& load, const Input* latency,
                   const Pods& pods) const;

  bool unattainable() const { return futile_ || too_tight_; }
  // Learnt so far, load a pod; 0: nothing.
  double carried() const { return carried_; }
  double refused() const { return refused_; }
  void pull_back(WallTime now);

 private:
  void fade(WallTime now);
  bool low(double per_pod, WallTime now);
  void miss(const LatencyTarget& target, double latency, WallTime now);

  Signal driver_ = Signal::Concurrency;
  LatencyTarget learnt_for_;
  LoadWindow per_pod_;
  int samples_ = 0;
  double floor_ = 0;    // load a pod
  double carried_ = 0;  // 0: not known
  double refused_ = 0;  // 0: not known
  bool well_ = true;    // the last latency was well within the objective
  // The last miss that counted, and the load a pod then.
  bool missed_ = false;
  double missed_load_ = 0;
  double missed_latency_ = 0;
  WallTime last_miss_{};
  WallTime low_since_{};  // missed at the floor ever since
  bool low_ = false;
  bool too_tight_ = false;  // so for a whole window
  bool futile_ = false;     // less load a pod did not help
  WallTime last_{};         // of fade()
};

}  // namespace mcpfleet::scaling
