#include "routing/ejection.h"

#include <gtest/gtest.h>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class EjectionTest : public testing::Test {
 protected:
  // Fails until it is ejected: for how long. Zero: `most` failures did not do it.
  Duration fail(int most) {
    for (int i = 1; i <= most; ++i)
      if (ejection_.failed(settings_, now_)) return ejection_.eject(settings_, now_);
    return Duration(0);
  }

  fleet::Ejection settings_{.consecutive_failures = 3,
                            .base_time = seconds(30),
                            .max_time = minutes(5),
                            .slow_start = seconds(20)};
  Ejection ejection_;
  MonotonicTime now_ = kStart;
};

TEST_F(EjectionTest, FailuresInARowEject) {
  EXPECT_EQ(fail(2), Duration(0));
  EXPECT_FALSE(ejection_.ejected(now_));
  EXPECT_EQ(fail(1), seconds(30));
  EXPECT_TRUE(ejection_.ejected(now_ + seconds(30) - Duration(1)));
  EXPECT_FALSE(ejection_.ejected(now_ + seconds(30)));
}

TEST_F(EjectionTest, ASuccessBetweenThemForgetsThem) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(fail(2), Duration(0));
    ejection_.succeeded();
  }
}

TEST_F(EjectionTest, ZeroFailuresNeverEject) {
  settings_.consecutive_failures = 0;
  EXPECT_EQ(fail(1000), Duration(0));
}

TEST_F(EjectionTest, WhatEndsWhileItIsOutChangesNothing) {
  fail(3);
  const auto until = ejection_.until();
  EXPECT_EQ(fail(100), Duration(0));
  ejection_.succeeded();
  EXPECT_EQ(ejection_.until(), until);
  EXPECT_TRUE(ejection_.ejected(now_));
}

TEST_F(EjectionTest, AfterItsReturnOneFailureIsEnoughUntilItSucceeds) {
  fail(3);
  now_ = ejection_.until();
  EXPECT_EQ(fail(1), seconds(60));
  now_ = ejection_.until();
  ejection_.succeeded();
  EXPECT_EQ(fail(2), Duration(0));
}

TEST_F(EjectionTest, TimesDoubleUpToTheMaximum) {
  fail(3);
  for (const int want : {60, 120, 240, 300, 300}) {
    now_ = ejection_.until();
    EXPECT_EQ(fail(1), seconds(want));
  }
  EXPECT_EQ(ejection_.times(), 6U);
}

TEST_F(EjectionTest, TimesShrinkAgainWhileItIsWell) {
  fail(3);
  now_ = ejection_.until();
  fail(1);
  now_ = ejection_.until();
  fail(1);  // 120 s: the third step
  now_ = ejection_.until() + 2 * settings_.max_time + seconds(1);
  ejection_.succeeded();
  EXPECT_EQ(fail(3), seconds(60));
  now_ = ejection_.until() + std::chrono::hours(24);
  ejection_.succeeded();
  EXPECT_EQ(fail(3), seconds(30));
}

TEST_F(EjectionTest, ItComesBackSlowly) {
  EXPECT_EQ(ejection_.weight(settings_, now_), 1);
  fail(3);
  struct Case {
    Duration after;
    double want;
  };
  const Case cases[] = {{Duration(0), 0.1}, {seconds(10), 0.55}, {seconds(20), 1}, {minutes(9), 1}};
  for (const auto& test : cases)
    EXPECT_DOUBLE_EQ(ejection_.weight(settings_, ejection_.until() + test.after), test.want);
  // Where all pods look down, those that are tried are equals.
  EXPECT_EQ(ejection_.weight(settings_, now_), 1);
  settings_.slow_start = Duration(0);
  EXPECT_EQ(ejection_.weight(settings_, ejection_.until()), 1);
}

}  // namespace
}  // namespace mcpfleet::routing
