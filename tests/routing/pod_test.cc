#include "routing/pod.h"

#include <gtest/gtest.h>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(OutcomeTest, ErrorsAndFailures) {
  struct Case {
    Outcome outcome;
    bool error;
    bool failure;
  };
  const Case cases[] = {{Outcome::Success, false, false},     {Outcome::CallError, true, false},
                        {Outcome::ConnectFailed, true, true}, {Outcome::BadStatus, true, true},
                        {Outcome::Broken, true, true},        {Outcome::TimedOut, true, true},
                        {Outcome::Cancelled, false, false}};
  for (const auto& test : cases) {
    EXPECT_EQ(is_error(test.outcome), test.error) << static_cast<int>(test.outcome);
    EXPECT_EQ(is_failure(test.outcome), test.failure) << static_cast<int>(test.outcome);
  }
}

TEST(PodStatsTest, NothingIsZero) {
  const PodStats stats;
  EXPECT_EQ(stats.mean_seconds(), 0);
  EXPECT_EQ(stats.error_ratio(), 0);
  EXPECT_FALSE(stats.last_use);
}

TEST(PodStatsTest, CountsWhatEnded) {
  PodStats stats;
  for (const auto outcome :
       {Outcome::Success, Outcome::CallError, Outcome::Broken, Outcome::Cancelled}) {
    stats.began(kStart);
    stats.ended(outcome, outcome == Outcome::CallError ? seconds(3) : seconds(1),
                kStart + seconds(9));
  }
  EXPECT_EQ(stats.requests, 4U);
  EXPECT_EQ(stats.errors, 2U);
  EXPECT_DOUBLE_EQ(stats.error_ratio(), 0.5);
  // Neither the one that broke nor the one that was cancelled says how fast the pod is.
  EXPECT_EQ(stats.timed, 2U);
  EXPECT_DOUBLE_EQ(stats.mean_seconds(), 2);
  EXPECT_EQ(stats.in_flight, 0U);
  EXPECT_EQ(stats.last_use, kStart + seconds(9));
}

TEST(PodStatsTest, TheAverageFollowsWhatIsRecent) {
  PodStats stats;
  const auto call = [&](Duration took) {
    stats.began(kStart);
    stats.ended(Outcome::Success, took, kStart);
  };
  call(seconds(1));
  EXPECT_DOUBLE_EQ(stats.average_seconds, 1);
  for (int i = 0; i < 100; ++i) call(milliseconds(100));
  EXPECT_NEAR(stats.average_seconds, 0.1, 0.001);
  EXPECT_GT(stats.mean_seconds(), 0.108);
}

TEST(PodStatsTest, AnEndTooManyIsNoDebt) {
  PodStats stats;
  stats.ended(Outcome::Success, seconds(1), kStart);
  EXPECT_EQ(stats.in_flight, 0U);
}

}  // namespace
}  // namespace mcpfleet::routing
