#include "scaling/backlog.h"

#include <gtest/gtest.h>

#include <cmath>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;

class BacklogTest : public testing::Test {
 protected:
  void second(const Pods& pods, double rate, double in_flight, double last) {
    now_ += seconds(1);
    backlog_.observe(pods, rate, in_flight, last, seconds(6), now_);
  }
  // Calls of 0.1 s, 100 a second.
  void learn() {
    for (int i = 0; i < 60; ++i) second(ready_pods(2), 100, 10, 10);
  }
  Backlog backlog_;
  WallTime now_ = kMorning;
  const Pods start_ = {.wanted = 6, .ready = 2, .starting = 4};
};

TEST_F(BacklogTest, NothingIsLeftOutWhileNothingStarts) {
  learn();
  EXPECT_TRUE(std::isinf(backlog_.most(ready_pods(2), 5)));
}

TEST_F(BacklogTest, ASlowStartIsNotMoreLoad) {
  learn();
  // 300 calls a second come now; two pods end 100, the others wait: 200 more each second.
  for (int i = 1; i <= 20; ++i) second(start_, 100, 10 + 200.0 * (i - 3), 10 + 200.0 * i);
  // 300 a second × 0.1 s are 30 in flight, which 6 pods with 5 each carry.
  EXPECT_NEAR(backlog_.most(start_, 5), 30, 1);
}

TEST_F(BacklogTest, WhatWasAskedForIsNotTakenBack) {
  learn();
  second(start_, 1, 10, 10);
  EXPECT_DOUBLE_EQ(backlog_.most(start_, 5), 30);
}

TEST_F(BacklogTest, RealLoadStillShows) {
  learn();
  for (int i = 1; i <= 20; ++i) second(start_, 1000, 100, 100);
  EXPECT_NEAR(backlog_.most(start_, 5), 100, 1);
}

TEST_F(BacklogTest, EndsALittleAfterTheLastPodIsReady) {
  learn();
  second(start_, 100, 500, 500);
  for (int i = 0; i < 29; ++i) second(ready_pods(6), 300, 400, 400);
  EXPECT_TRUE(std::isfinite(backlog_.most(ready_pods(6), 5)));
  second(ready_pods(6), 300, 400, 400);
  EXPECT_TRUE(std::isinf(backlog_.most(ready_pods(6), 5)));
}

TEST_F(BacklogTest, WithoutTheTimeOfACallNothingIsLeftOut) {
  second(start_, 100, 500, 900);
  EXPECT_TRUE(std::isinf(backlog_.most(start_, 5)));
}

}  // namespace
}  // namespace mcpfleet::scaling
