#include "scaling/target_tracking.h"

#include <gtest/gtest.h>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

Load load_of(double steady, double surge = 0) {
  Load load;
  load.steady = steady;
  load.surge = surge;
  return load;
}

TEST(TargetTrackingTest, AsTheHpa) {
  const Behavior behavior;  // a tolerance of a tenth
  const struct {
    const char* what;
    Load load;
    double target;
    Pods pods;
    int want;
    Reason reason;
  } cases[] = {
      {"over", load_of(412), 50, ready_pods(4), 9, Reason::OverTarget},
      {"on the point", load_of(200), 50, ready_pods(4), 4, Reason::OnTarget},
      {"over by the tolerance", load_of(220), 50, ready_pods(4), 4, Reason::OnTarget},
      {"over by more", load_of(221), 50, ready_pods(4), 5, Reason::OverTarget},
      {"under by the tolerance", load_of(450), 50, ready_pods(10), 10, Reason::OnTarget},
      {"under by more", load_of(449), 50, ready_pods(10), 9, Reason::UnderTarget},
      {"under, but not by a pod", load_of(170), 50, ready_pods(4), 4, Reason::OnTarget},
      {"idle", load_of(0), 50, ready_pods(4), 0, Reason::Idle},
      {"a surge alone", load_of(200, 300), 50, ready_pods(4), 6, Reason::OverTarget},
      {"no surge below the mean", load_of(200, 100), 50, ready_pods(4), 4, Reason::OnTarget},
      {"pods that start were asked for",
       load_of(412),
       50,
       {.wanted = 9, .ready = 4, .starting = 5},
       9,
       Reason::OnTarget},
      {"few calls", load_of(0.4), 1, ready_pods(3), 1, Reason::UnderTarget},
      {"a tiny target", load_of(412), 1e-12, ready_pods(4), kMostReplicas, Reason::OverTarget},
  };
  for (const auto& test : cases) {
    const Proposal got = track_target(test.load, test.target, test.pods, behavior);
    EXPECT_EQ(got.replicas, test.want) << test.what;
    EXPECT_EQ(got.reason, test.reason) << test.what;
    EXPECT_EQ(got.by, Recommender::Target);
    EXPECT_DOUBLE_EQ(got.input[0].value, test.load.greatest());
  }
}

// Those that were not heard carry nothing on the way up, and their target on the way down.
TEST(TargetTrackingTest, PodsThatWereNotHeard) {
  const Behavior behavior;
  const auto ask = [&](double load, int unheard) {
    Load seen = load_of(load);
    seen.unheard = unheard;
    return track_target(seen, 50, ready_pods(10), behavior).replicas;
  };
  EXPECT_EQ(ask(250, 5), 10) << "half of them heard: might be on target";
  EXPECT_EQ(ask(250, 0), 5);
  EXPECT_EQ(ask(50, 5), 6);
  EXPECT_EQ(ask(600, 5), 12) << "enough without them";
  EXPECT_EQ(ask(0, 10), 10) << "none heard";
}

TEST(TargetTrackingTest, MoreLoadNeverAsksForFewer) {
  const Behavior behavior;
  for (const int wanted : {1, 3, 10, 97})
    for (const int unheard : {0, 1, 7}) {
      int before = 0;
      for (double load = 0; load < 8000; load += 3.7) {
        Load seen = load_of(load);
        seen.unheard = unheard;
        const int now = track_target(seen, 50, ready_pods(wanted), behavior).replicas;
        ASSERT_GE(now, before) << load << " at " << wanted;
        before = now;
      }
    }
}

TEST(TargetTrackingTest, ZeroToleranceFollowsEachPod) {
  Behavior behavior;
  behavior.up.tolerance = behavior.down.tolerance = 0;
  EXPECT_EQ(track_target(load_of(551), 50, ready_pods(11), behavior).replicas, 12);
  EXPECT_EQ(track_target(load_of(549), 50, ready_pods(12), behavior).replicas, 11);
}

}  // namespace
}  // namespace mcpfleet::scaling
