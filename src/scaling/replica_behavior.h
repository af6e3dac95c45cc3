// Stabilization windows and rate policies, as the HPA applies spec.behavior.
//
// The order and the arithmetic are those of k8s.io/kubernetes
// pkg/controller/podautoscaler/horizontal.go (stabilizeRecommendationWithBehaviors,
// convertDesiredReplicasWithBehaviorRate): first the least answer of the up window and the greatest
// of the down window, then what the policies allow in their periods. Pure: times are parameters.
// Nothing is allocated. Thread safety: one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "base/clock.h"
#include "scaling/policy.h"
#include "scaling/sliding_extreme.h"
#include "scaling/verdict.h"

namespace mcpfleet::scaling {

class ReplicaBehavior {
 public:
  // Starts over: `current` is the first answer of both windows, so that nothing jumps.
  void start(int current, WallTime now);
  bool started() const { return started_; }
  void stop() { started_ = false; }

  // That the workload has `current` replicas. A change to what limit() last allowed counts in the
  // periods; somebody else's change does not, as with the HPA.
  void observe(int current, WallTime now);

  // What of `wanted` may be done now, `current` being there. Adds to `clips` what stood against it.
  // `burst`: a panic asks for it, which has windows of its own; the up window would smooth it twice
  // and does not count.
  int limit(const Behavior& behavior, int wanted, int current, WallTime now, Clips& clips,
            bool burst = false);

  void pull_back(WallTime now);

 private:
  // Replicas that went or came at a time.
  struct Change {
    WallTime at;
    int by = 0;  // below 0: went
  };
  static constexpr std::size_t kChanges = 64;

  int stabilized(const Behavior& behavior, int wanted, int current, WallTime now, bool burst);
  int most(const DirectionBehavior& up, int current, WallTime now) const;
  int least(const DirectionBehavior& down, int current, WallTime now) const;
  // Replicas at the beginning of the period.
  double at_start(int current, Duration period, WallTime now) const;
  void note(int by, WallTime now);

  bool started_ = false;
  int current_ = 0;
  int allowed_ = 0;
  SlidingExtreme<std::less<int>> up_;
  SlidingExtreme<std::greater<int>> down_;
  std::size_t changes_ = 0;
  std::array<Change, kChanges> change_{};  // in the order of time
};

}  // namespace mcpfleet::scaling
