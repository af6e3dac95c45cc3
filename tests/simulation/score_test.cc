#include "simulation/score.h"

#include <gtest/gtest.h>

#include "simulation/generate.h"
#include "tests/simulation/workloads.h"

namespace mcpfleet::simulation {
namespace {

struct Second {
  int demand;
  int replicas;
  int ready;
};

Score score_of(const std::vector<Second>& seconds) {
  Timeline timeline;
  Plan plan;
  for (const Second& second : seconds) {
    timeline.moments.push_back({.replicas = second.replicas, .ready = second.ready});
    plan.serving.push_back(second.demand);
  }
  timeline.pod_seconds = 10;
  return score(timeline, plan, 4);
}

TEST(Score, ProvisioningIsOfTheDemand) {
  // Two of four too few, one of two too many, as many as needed twice.
  const Score score = score_of({{4, 2, 2}, {2, 3, 3}, {1, 1, 1}, {5, 5, 5}});
  EXPECT_DOUBLE_EQ(score.under_accuracy, 0.5 / 4);
  EXPECT_DOUBLE_EQ(score.over_accuracy, 0.5 / 4);
  EXPECT_DOUBLE_EQ(score.under_time, 0.25);
  EXPECT_DOUBLE_EQ(score.over_time, 0.25);
  EXPECT_DOUBLE_EQ(score.pod_ratio(), 2.5);
  EXPECT_EQ(score.peak_replicas, 5);
}

TEST(Score, ASecondWithoutDemandCountsAsOnePod) {
  EXPECT_DOUBLE_EQ(score_of({{0, 3, 3}, {0, 1, 1}}).over_accuracy, 2.0 / 2);
}

TEST(Score, ReversalsAreChangesTheOtherWay) {
  const Score score =
      score_of({{1, 1, 1}, {1, 2, 1}, {1, 3, 1}, {1, 3, 1}, {1, 2, 1}, {1, 1, 1}, {1, 4, 1}});
  EXPECT_EQ(score.changes, 5);
  EXPECT_EQ(score.reversals, 2);
  EXPECT_DOUBLE_EQ(score.reversals_per_hour(), 2 * 3600 / 7.0);
}

TEST(Score, ReactingTakesUntilMoreIsWritten) {
  // The demand rises at 1; written at 3 (too few still: the same rise), enough at 4. It rises again
  // at 6 and has gone at 7, unanswered.
  const Score score = score_of(
      {{1, 1, 1}, {3, 1, 1}, {3, 1, 1}, {3, 2, 1}, {3, 3, 2}, {3, 3, 3}, {4, 3, 3}, {2, 3, 3}});
  EXPECT_EQ(score.rises, 2);
  EXPECT_EQ(score.answered, 1);
  EXPECT_DOUBLE_EQ(score.react_mean, 2);
  EXPECT_DOUBLE_EQ(score.react_worst, 2);
}

TEST(Score, CallsAreAddedUp) {
  Timeline timeline;
  timeline.moments = {{.arrived = 10, .served = 8, .late = 2, .over = true},
                      {.arrived = 5, .served = 3, .lost = 1, .waiting = 3}};
  const Score score = simulation::score(timeline, {.serving = {1, 1}}, 1);
  EXPECT_EQ(score.requests, 15);
  EXPECT_DOUBLE_EQ(score.late_or_lost_share(), 0.2);
  EXPECT_EQ(score.over_seconds, 1);
  EXPECT_DOUBLE_EQ(score.over_share(), 0.5);
  EXPECT_EQ(score.unserved, 3);
}

}  // namespace
}  // namespace mcpfleet::simulation
