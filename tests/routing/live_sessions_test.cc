#include "routing/live_sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

SessionKey key(std::uint64_t number) { return {.high = 1, .low = number}; }

class LiveSessionsTest : public testing::Test {
 protected:
  LiveSessionsTest() { pods_.update(ready_pods(3), now_); }
  PodId begin() {
    const auto pod = sessions_.begin({}, now_, random_);
    EXPECT_TRUE(pod);
    return pod.value_or(PodId{});
  }
  std::uint32_t on(int number) const { return pods_.get(id_of(pods_, number))->stats.sessions; }
  PodId id(int number) const { return id_of(pods_, number); }

  PodSet pods_{fleet::TrafficSettings{}, 0};
  MonotonicTime now_ = kStart;
  LiveSessions sessions_{pods_, 6, minutes(30)};
  Random random_{2};
};

TEST_F(LiveSessionsTest, ManyThatBeginAtOnceAreSpread) {
  for (int i = 0; i < 6; ++i) begin();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(on(i), 2U);
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(LiveSessionsTest, AreLimited) {
  std::vector<PodId> begun;
  for (int i = 0; i < 6; ++i) begun.push_back(begin());
  const auto refused = sessions_.begin({}, now_, random_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            (Refusal{.limit = Limit::Sessions, .value = 6, .retry_after = seconds(5)}));
  sessions_.abandoned(begun[0]);
  sessions_.minted(begin(), key(1), now_);
  EXPECT_FALSE(sessions_.begin({}, now_, random_));
  sessions_.ended(key(1));
  EXPECT_TRUE(sessions_.begin({}, now_, random_));
}

TEST_F(LiveSessionsTest, WhatCameOfOneCountsOnce) {
  const auto first = begin();
  sessions_.minted(first, key(1), now_);
  EXPECT_EQ(pods_.get(first)->stats.sessions, 1U);
  sessions_.used(first, key(1), now_);
  EXPECT_EQ(pods_.get(first)->stats.sessions, 1U);
  const auto second = begin();
  sessions_.abandoned(second);
  EXPECT_EQ(pods_.get(second)->stats.sessions, 0U);
  sessions_.ended(key(1));
  sessions_.ended(key(1));
  EXPECT_EQ(pods_.get(first)->stats.sessions, 0U);
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(LiveSessionsTest, OneOfAnotherGatewayCountsWhenItIsSeenEvenOverTheLimit) {
  for (std::uint64_t i = 0; i < 8; ++i) sessions_.used(id(0), key(i), now_);
  EXPECT_EQ(sessions_.size(), 8U);
  EXPECT_EQ(on(0), 8U);
  EXPECT_FALSE(sessions_.begin({}, now_, random_));
}

TEST_F(LiveSessionsTest, NewOnesGoWhereThereAreFewest) {
  for (std::uint64_t i = 0; i < 2; ++i) sessions_.used(id(0), key(i), now_);
  sessions_.used(id(2), key(9), now_);
  EXPECT_EQ(begin(), id(1));
  EXPECT_EQ(name_of(pods_, *sessions_.begin(std::array{id(1)}, now_, random_)), "c");
}

TEST_F(LiveSessionsTest, IdleOnesAreForgotten) {
  sessions_.used(id(0), key(1), now_);
  now_ += minutes(20);
  sessions_.used(id(1), key(2), now_);
  now_ += minutes(10);
  sessions_.expire(now_);
  EXPECT_EQ(sessions_.size(), 1U);
  EXPECT_EQ(on(0), 0U);
  EXPECT_EQ(on(1), 1U);
  // A use in between is a new beginning.
  sessions_.used(id(1), key(2), now_);
  now_ += minutes(29);
  sessions_.expire(now_);
  EXPECT_EQ(sessions_.size(), 1U);
  sessions_.change(6, minutes(29));
  sessions_.expire(now_);
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(LiveSessionsTest, OneWithAnOpenStreamIsNotIdle) {
  sessions_.used(id(0), key(1), now_);
  sessions_.used(id(1), key(2), now_);
  sessions_.hold(key(1));
  sessions_.hold(key(3));  // nobody's
  now_ += minutes(31);
  sessions_.expire(now_);
  EXPECT_EQ(on(0), 1U);
  EXPECT_EQ(on(1), 0U);
  sessions_.release(key(1), now_);
  sessions_.release(key(3), now_);
  now_ += minutes(29);
  sessions_.expire(now_);
  EXPECT_EQ(sessions_.size(), 1U);
  now_ += minutes(1);
  sessions_.expire(now_);
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(LiveSessionsTest, WithoutAnIdleTimeOnlyThoseInUseStay) {
  sessions_.change(6, Duration{0});
  sessions_.used(id(0), key(1), now_);
  sessions_.used(id(1), key(2), now_);
  sessions_.hold(key(1));
  sessions_.expire(now_);
  EXPECT_EQ(on(0), 1U);
  EXPECT_EQ(on(1), 0U);
}

TEST_F(LiveSessionsTest, GoWithTheirPod) {
  for (std::uint64_t i = 0; i < 4; ++i) sessions_.used(id(static_cast<int>(i % 2)), key(i), now_);
  const auto pending = begin();
  EXPECT_EQ(pending, id(2));
  const auto changes = pods_.update(std::vector{ready(1)}, now_);
  sessions_.gone(changes.removed);
  EXPECT_EQ(sessions_.size(), 2U);
  EXPECT_EQ(on(1), 2U);
  sessions_.minted(pending, key(7), now_);
  EXPECT_EQ(sessions_.size(), 2U);
}

TEST_F(LiveSessionsTest, MemoryIsBounded) {
  for (std::uint64_t i = 0; i <= LiveSessions::kMostRemembered; ++i)
    sessions_.used(id(0), key(i), now_);
  EXPECT_EQ(sessions_.size(), LiveSessions::kMostRemembered);
  EXPECT_EQ(on(0), LiveSessions::kMostRemembered);
  sessions_.ended(key(0));  // the one that was forgotten
  EXPECT_EQ(sessions_.size(), LiveSessions::kMostRemembered);
}

// Whatever comes: each pod has as many sessions as are known of it and begin there, and no more
// begin than may.
TEST(LiveSessionsPropertyTest, CountsAreRight) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    PodSet pods(fleet::TrafficSettings{}, 0);
    LiveSessions sessions(pods, 12, minutes(5));
    std::vector<PodId> beginning;
    auto now = kStart;
    pods.update(ready_pods(3), now);
    for (int step = 0; step < 2000; ++step) {
      now += seconds(random.below(20));
      const auto one = key(random.below(30));
      switch (random.below(8)) {
        case 0:
        case 1:
          if (const auto pod = sessions.begin({}, now, random)) {
            ASSERT_LE(sessions.size() + beginning.size(), 11U);
            beginning.push_back(*pod);
          }
          break;
        case 2:
        case 3:
          if (beginning.empty()) break;
          if (random.below(3) == 0) {
            sessions.abandoned(beginning.back());
          } else {
            sessions.minted(beginning.back(), one, now);
          }
          beginning.pop_back();
          break;
        case 4:
          sessions.used(id_of(pods, static_cast<int>(random.below(4))), one, now);
          break;
        case 5:
          sessions.ended(one);
          break;
        case 6:
          sessions.expire(now);
          break;
        default:
          if (random.below(10) > 0) break;
          const auto changes = pods.update(ready_pods(static_cast<int>(random.below(4))), now);
          sessions.gone(changes.removed);
      }
      std::size_t counted = 0;
      std::size_t begins = 0;
      pods.each([&](PodId id, const Pod& pod) {
        counted += pod.stats.sessions;
        begins += static_cast<std::size_t>(std::ranges::count(beginning, id));
      });
      ASSERT_EQ(counted, sessions.size() + begins) << seed << " " << step;
    }
  }
}

}  // namespace
}  // namespace mcpfleet::routing
