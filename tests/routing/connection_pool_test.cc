#include "routing/connection_pool.h"

#include <gtest/gtest.h>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr CallerId kCaller{.high = 1, .low = 1};

fleet::TrafficSettings settings(int least, int most, Duration idle = minutes(5)) {
  fleet::TrafficSettings settings;
  settings.connection_pool = {least, most, seconds(10), seconds(60)};
  settings.timeouts.idle = idle;
  settings.limits.max_queue = 1;
  return settings;
}

// Unused for so many seconds, the longest first; below zero: opened ahead so long ago.
std::vector<IdleConnection> idle_for(const std::vector<int>& times) {
  std::vector<IdleConnection> idle;
  for (const int time : times) idle.push_back({kStart - seconds(std::abs(time)), time >= 0});
  return idle;
}

void use(ConnectionPool& pool, int count) {
  for (int i = 0; i < count; ++i)
    ASSERT_TRUE(std::holds_alternative<Admitted>(pool.calls.ask(kCaller, kStart)));
}

TEST(ConnectionPoolTest, WhichAreClosedAndHowManyAreOpened) {
  struct Case {
    const char* what;
    int least;
    int most;
    Duration idle_timeout;
    std::vector<int> idle;
    int in_use;
    bool ready;
    std::vector<std::size_t> close;
    std::size_t open;
  };
  const Case cases[] = {
      {"nothing to do", 0, 10, seconds(300), {299, 0}, 3, true, {}, 0},
      {"unused for too long", 0, 10, seconds(300), {400, 300, 299}, 0, true, {0, 1}, 0},
      {"down to the least", 2, 10, seconds(300), {400, 350, 300}, 0, true, {0}, 0},
      {"those in use are among the least", 2, 10, seconds(300), {400, 300}, 2, true, {0, 1}, 0},
      {"as many as there shall be", 3, 10, seconds(300), {}, 0, true, {}, 3},
      {"less those that are there", 3, 10, seconds(300), {1}, 1, true, {}, 1},
      {"none at a pod that is not ready", 3, 10, seconds(300), {}, 0, false, {}, 0},
      {"more than there may be now", 0, 3, seconds(300), {5, 4, 3}, 2, true, {0, 1}, 0},
      {"all in use and more", 0, 3, seconds(300), {5}, 5, true, {0}, 0},
      {"the most counts where the least is more", 5, 2, seconds(300), {}, 0, true, {}, 2},
      {"never used, and new again", 2, 10, seconds(300), {-60, -59}, 0, true, {0}, 1},
      {"never used, and a short time", 1, 10, seconds(5), {-5}, 0, true, {0}, 1},
      {"never used among used ones", 1, 10, seconds(300), {90, -70, 60}, 0, true, {1}, 0},
  };
  for (const auto& test : cases) {
    ConnectionPool pool(settings(test.least, 100, test.idle_timeout));
    use(pool, test.in_use);
    pool.change(settings(test.least, test.most, test.idle_timeout));
    const auto work = pool.upkeep(idle_for(test.idle), test.ready, kStart);
    EXPECT_EQ(work.close, test.close) << test.what;
    EXPECT_EQ(work.open, test.open) << test.what;
  }
}

TEST(ConnectionPoolTest, WhatIsBeingOpenedIsNotOpenedAgainAndAFailureWaits) {
  ConnectionPool pool(settings(2, 10));
  EXPECT_EQ(pool.upkeep({}, true, kStart).open, 2U);
  EXPECT_EQ(pool.upkeep({}, true, kStart).open, 0U);
  pool.opened(true, kStart);
  EXPECT_EQ(pool.upkeep(idle_for({0}), true, kStart).open, 0U);
  pool.opened(false, kStart);
  EXPECT_EQ(pool.upkeep(idle_for({0}), true, kStart + milliseconds(59'999)).open, 0U);
  EXPECT_EQ(pool.upkeep(idle_for({0}), true, kStart + seconds(60)).open, 1U);
}

TEST(ConnectionPoolTest, LooksAtUnusedOnesOnceAnInterval) {
  ConnectionPool pool(settings(0, 10));
  EXPECT_TRUE(pool.upkeep({}, true, kStart).look);
  EXPECT_FALSE(pool.upkeep({}, true, kStart + milliseconds(59'999)).look);
  EXPECT_TRUE(pool.upkeep({}, true, kStart + seconds(60)).look);
}

TEST(ConnectionPoolTest, WhatMayBeKept) {
  struct Case {
    int least;
    int most;
    int in_use;
    std::size_t idle;
    bool kept;
  };
  const Case cases[] = {{0, 3, 1, 1, true},
                        {0, 3, 1, 2, true},
                        {0, 3, 2, 2, false},
                        {0, 3, 3, 0, true},
                        {0, 3, 3, 1, false},
                        {0, 1000, 0, ConnectionPool::kMostIdle - 1, true},
                        {0, 1000, 0, ConnectionPool::kMostIdle, false},
                        {300, 1000, 0, 299, true},
                        {300, 1000, 0, 300, false}};
  for (const auto& test : cases) {
    ConnectionPool pool(settings(test.least, test.most));
    use(pool, test.in_use);
    EXPECT_EQ(pool.may_keep(test.idle), test.kept) << test.idle << " of " << test.most;
  }
}

TEST(ConnectionPoolTest, CallsWaitAndAreToldThatThereIsNoConnection) {
  ConnectionPool pool(settings(0, 1));
  use(pool, 1);
  const auto asked = pool.calls.ask(kCaller, kStart);
  const auto* const waiting = std::get_if<Waiting>(&asked);
  ASSERT_NE(waiting, nullptr);
  EXPECT_EQ(waiting->deadline, kStart + seconds(10));
  const auto full = pool.calls.ask(kCaller, kStart);
  ASSERT_TRUE(std::holds_alternative<Refusal>(full));
  EXPECT_EQ(std::get<Refusal>(full).limit, Limit::Connections);
  EXPECT_EQ(std::get<Refusal>(full).value, 1);
  const auto late = pool.calls.give_up(waiting->ticket);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->limit, Limit::ConnectionTime);
  EXPECT_EQ(late->period, seconds(10));
}

}  // namespace
}  // namespace mcpfleet::routing
