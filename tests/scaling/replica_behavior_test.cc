#include "scaling/replica_behavior.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;
using Select = DirectionBehavior::Select;
using Type = RatePolicy::Type;

class ReplicaBehaviorTest : public testing::Test {
 protected:
  // Each second: wanted is decided, and done.
  int after(int count, int wanted) {
    for (int i = 0; i < count; ++i) {
      now_ += seconds(1);
      clips_ = {};
      limiter_.observe(current_, now_);
      current_ = limiter_.limit(settings_, wanted, current_, now_, clips_);
    }
    return current_;
  }
  void start(int current) {
    current_ = current;
    limiter_.start(current, now_);
  }
  Behavior settings_ = plain_policy().behavior;
  ReplicaBehavior limiter_;
  Clips clips_;
  int current_ = 0;
  WallTime now_ = kMorning;
};

TEST_F(ReplicaBehaviorTest, WithoutAnythingWhatIsWantedIsDone) {
  start(4);
  EXPECT_EQ(after(1, 4000), 4000);
  EXPECT_EQ(after(1, 0), 0);
  EXPECT_TRUE(clips_.none());
}

TEST_F(ReplicaBehaviorTest, DownWaitsForItsWindow) {
  settings_.down.stabilization = seconds(300);
  start(10);
  EXPECT_EQ(after(299, 2), 10) << "what was there at the start counts";
  EXPECT_TRUE(clips_.has(Clip::Stabilization));
  EXPECT_EQ(after(1, 2), 2);
  EXPECT_EQ(after(1, 9), 9);
  EXPECT_EQ(after(100, 3), 9);
  EXPECT_EQ(after(1, 6), 9);
  EXPECT_EQ(after(199, 3), 6) << "the greatest of the last five minutes";
}

TEST_F(ReplicaBehaviorTest, UpWaitsForItsWindow) {
  settings_.up.stabilization = seconds(60);
  start(4);
  EXPECT_EQ(after(59, 9), 4);
  EXPECT_TRUE(clips_.has(Clip::Stabilization));
  EXPECT_EQ(after(1, 9), 9);
  EXPECT_EQ(after(30, 20), 9);
  EXPECT_EQ(after(1, 12), 9);
  EXPECT_EQ(after(29, 20), 12) << "the least of the last minute";
}

TEST_F(ReplicaBehaviorTest, NoiseBelowIsSmoothedAwayByTheHpasDefault) {
  settings_ = Behavior{};
  start(10);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(after(1, i % 2 == 0 ? 10 : 6), 10);
}

TEST_F(ReplicaBehaviorTest, RatePolicies) {
  const struct {
    const char* what;
    std::vector<RatePolicy> up;
    Select select;
    int first;   // after a second
    int second;  // after a period more
  } cases[] = {
      {"pods", {{Type::Pods, 4, seconds(15)}}, Select::Max, 14, 18},
      {"percent", {{Type::Percent, 100, seconds(15)}}, Select::Max, 20, 40},
      {"percent rounds up", {{Type::Percent, 15, seconds(15)}}, Select::Max, 12, 14},
      {"the most",
       {{Type::Pods, 4, seconds(15)}, {Type::Percent, 50, seconds(15)}},
       Select::Max,
       15,
       23},
      {"the least",
       {{Type::Pods, 4, seconds(15)}, {Type::Percent, 50, seconds(15)}},
       Select::Min,
       14,
       18},
      {"two periods",
       {{Type::Pods, 4, seconds(15)}, {Type::Pods, 6, seconds(60)}},
       Select::Min,
       14,
       16},
      {"disabled", {{Type::Pods, 4, seconds(15)}}, Select::Disabled, 10, 10},
  };
  for (const auto& test : cases) {
    settings_.up.policies = test.up;
    settings_.up.select = test.select;
    start(10);
    EXPECT_EQ(after(1, 1000), test.first) << test.what;
    EXPECT_TRUE(clips_.has(Clip::RatePolicy)) << test.what;
    EXPECT_EQ(after(14, 1000), test.first) << test.what;
    EXPECT_EQ(after(2, 1000), test.second) << test.what;
  }
}

TEST_F(ReplicaBehaviorTest, RatePoliciesDown) {
  const struct {
    const char* what;
    std::vector<RatePolicy> down;
    Select select;
    int first;
    int second;
  } cases[] = {
      {"pods", {{Type::Pods, 4, seconds(15)}}, Select::Max, 96, 92},
      {"percent rounds what stays down", {{Type::Percent, 15, seconds(15)}}, Select::Max, 85, 72},
      {"the most",
       {{Type::Pods, 4, seconds(15)}, {Type::Percent, 50, seconds(15)}},
       Select::Max,
       50,
       25},
      {"the least",
       {{Type::Pods, 4, seconds(15)}, {Type::Percent, 50, seconds(15)}},
       Select::Min,
       96,
       92},
      {"disabled", {{Type::Pods, 4, seconds(15)}}, Select::Disabled, 100, 100},
  };
  for (const auto& test : cases) {
    settings_.down.policies = test.down;
    settings_.down.select = test.select;
    start(100);
    EXPECT_EQ(after(1, 0), test.first) << test.what;
    EXPECT_EQ(after(16, 0), test.second) << test.what;
  }
}

TEST_F(ReplicaBehaviorTest, SomebodyElsesChangeIsNotOurs) {
  settings_.up.policies = {{Type::Pods, 4, seconds(15)}};
  start(10);
  after(1, 10);
  current_ = 30;
  EXPECT_EQ(after(1, 1000), 34);
}

TEST_F(ReplicaBehaviorTest, TheSameAnswerUntilItIsDone) {
  settings_.up.policies = {{Type::Pods, 4, seconds(15)}};
  start(10);
  for (int i = 0; i < 100; ++i) {
    now_ += seconds(1);
    limiter_.observe(10, now_);
    ASSERT_EQ(limiter_.limit(settings_, 1000, 10, now_, clips_), 14);
  }
}

TEST_F(ReplicaBehaviorTest, MoreChangesThanAreKeptNeverAllowMore) {
  settings_.up.policies = {{Type::Pods, 100, seconds(1800)}};
  start(10);
  for (int i = 1; i <= 1700; ++i) ASSERT_LE(after(1, 10 + i), 110);
  EXPECT_EQ(current_, 110);
}

TEST_F(ReplicaBehaviorTest, GreatNumbers) {
  settings_.up.policies = {{Type::Percent, 2'000'000'000, seconds(15)},
                           {Type::Pods, 2'000'000'000, seconds(15)}};
  settings_.down.policies = {{Type::Percent, 2'000'000'000, seconds(15)}};
  start(kMostReplicas);
  EXPECT_EQ(after(2, kMostReplicas), kMostReplicas);
  EXPECT_EQ(after(2, 0), 0);
  EXPECT_EQ(after(20, kMostReplicas), kMostReplicas);
}

// Held against a list of all answers. Equal as long as few are needed at once, and an extreme may
// last too long beyond that, never too short.
TEST(SlidingExtremeTest, IsTheGreatestOfTheWindow) {
  std::mt19937 random(3);
  for (const int range : {8, 100'000}) {
    SlidingExtreme<std::greater<int>> greatest;
    std::deque<std::pair<long, int>> all;
    long now = 0;
    for (int i = 0; i < 20'000; ++i) {
      now += static_cast<long>(random() % 3);
      // Long falls fill the places.
      const int value = range - static_cast<int>((i + random() % 3) % static_cast<unsigned>(range));
      greatest.add(kMorning + seconds(now), value);
      greatest.expire(kMorning + seconds(now), seconds(50));
      all.emplace_back(now, value);
      while (all.front().first <= now - 50) all.pop_front();
      int want = 0;
      for (const auto& entry : all) want = std::max(want, entry.second);
      ASSERT_FALSE(greatest.empty());
      if (range == 8)
        ASSERT_EQ(greatest.value(), want);
      else
        ASSERT_GE(greatest.value(), want);
    }
  }
}

}  // namespace
}  // namespace mcpfleet::scaling
