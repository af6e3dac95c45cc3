#include "base/token_bucket.h"

#include <gtest/gtest.h>

namespace mcpfleet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class TokenBucketTest : public testing::Test {
 protected:
  // In milliseconds; -1: refused.
  long take(Duration most = hours(1)) {
    const auto wait = bucket_.take(clock_.monotonic(), most);
    return wait ? std::chrono::round<milliseconds>(*wait).count() : -1;
  }
  ManualClock clock_;
  TokenBucket bucket_{10, 3};
};

TEST_F(TokenBucketTest, ABurstGoesAtOnceAndTheRestInTurn) {
  for (const long want : {0, 0, 0, 100, 200, 300}) EXPECT_EQ(take(), want);
}

TEST_F(TokenBucketTest, TokensComeBackUpToTheBurst) {
  for (int i = 0; i < 3; ++i) take();
  clock_.advance(milliseconds(150));
  for (const long want : {0, 50}) EXPECT_EQ(take(), want);
  clock_.advance(hours(1));
  for (const long want : {0, 0, 0, 100}) EXPECT_EQ(take(), want);
}

TEST_F(TokenBucketTest, WhoWillNotWaitTakesNothing) {
  for (int i = 0; i < 3; ++i) take();
  EXPECT_EQ(take(milliseconds(99)), -1);
  EXPECT_EQ(take(Duration(0)), -1);
  EXPECT_EQ(take(milliseconds(100)), 100);
}

TEST_F(TokenBucketTest, ASlowBucketLosesNoFractions) {
  TokenBucket slow(1.0 / 300, 1);
  EXPECT_TRUE(slow.take(clock_.monotonic()));
  for (int i = 0; i < 299; ++i) {
    clock_.advance(seconds(1));
    EXPECT_FALSE(slow.take(clock_.monotonic())) << i;
  }
  clock_.advance(seconds(2));
  EXPECT_TRUE(slow.take(clock_.monotonic()));
}

TEST_F(TokenBucketTest, TimeThatStandsStillGivesNothing) {
  for (int i = 0; i < 3; ++i) take();
  const auto earlier = clock_.monotonic() - seconds(5);
  EXPECT_FALSE(bucket_.take(earlier));
  EXPECT_FALSE(bucket_.take(clock_.monotonic()));
}

TEST_F(TokenBucketTest, WhatIsChargedIsWaitedFor) {
  for (int i = 0; i < 5; ++i) bucket_.charge();
  EXPECT_EQ(bucket_.wait_for_one(clock_.monotonic()), milliseconds(300));
  clock_.advance(milliseconds(300));
  EXPECT_EQ(bucket_.wait_for_one(clock_.monotonic()), Duration(0));
  EXPECT_EQ(take(), 0);
}

TEST_F(TokenBucketTest, AChangeKeepsWhatWasTaken) {
  for (int i = 0; i < 3; ++i) take();
  bucket_.change(10, 5, clock_.monotonic());
  for (const long want : {0, 0, 100}) EXPECT_EQ(take(), want);
  clock_.advance(hours(1));
  bucket_.change(1, 2, clock_.monotonic());
  for (const long want : {0, 0, 1000}) EXPECT_EQ(take(), want);
}

}  // namespace
}  // namespace mcpfleet
