#include "kube/work_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class WorkQueueTest : public testing::Test {
 protected:
  std::string take() { return queue_.try_take().value_or("nothing"); }

  ManualClock clock_;
  WorkQueue queue_{clock_, {milliseconds(100), seconds(1)}};
};

TEST_F(WorkQueueTest, EachKeyOnceInOrder) {
  for (const char* key : {"a", "b", "a"}) queue_.add(key);
  EXPECT_EQ(queue_.depth(), 2U);
  EXPECT_EQ(take(), "a");
  EXPECT_EQ(take(), "b");
  EXPECT_EQ(take(), "nothing");
}

TEST_F(WorkQueueTest, AKeyAtWorkComesAgainOnlyAfterDone) {
  queue_.add("a");
  EXPECT_EQ(take(), "a");
  queue_.add("a");
  queue_.add("a");
  EXPECT_EQ(take(), "nothing");
  queue_.done("a");
  EXPECT_EQ(take(), "a");
  queue_.done("a");
  EXPECT_EQ(take(), "nothing");
}

TEST_F(WorkQueueTest, AStormOnOneKeyStarvesNobody) {
  queue_.add("storm");
  EXPECT_EQ(take(), "storm");
  queue_.add("storm");
  queue_.add("quiet");
  queue_.done("storm");
  EXPECT_EQ(take(), "quiet");
  EXPECT_EQ(take(), "storm");
}

TEST_F(WorkQueueTest, OfTwoTimesTheEarlierCounts) {
  queue_.add_after("a", seconds(10));
  queue_.add_after("a", seconds(2));
  queue_.add_after("a", seconds(5));
  clock_.advance(milliseconds(1999));
  EXPECT_EQ(take(), "nothing");
  clock_.advance(milliseconds(1));
  EXPECT_EQ(take(), "a");
  queue_.done("a");
  clock_.advance(seconds(60));
  EXPECT_EQ(take(), "nothing");
}

TEST_F(WorkQueueTest, ATimeThatComesWhileAtWorkIsKept) {
  queue_.add("a");
  queue_.add_after("a", seconds(1));
  EXPECT_EQ(take(), "a");
  clock_.advance(seconds(1));
  EXPECT_EQ(take(), "nothing");
  queue_.done("a");
  EXPECT_EQ(take(), "a");
}

TEST_F(WorkQueueTest, FailuresBackOffByKeyUntilForgotten) {
  const auto wait_of = [&](const std::string& key) {
    queue_.add_failed(key);
    milliseconds waited(0);
    while (true) {
      if (const auto taken = queue_.try_take()) {
        EXPECT_EQ(*taken, key);
        queue_.done(key);
        return waited;
      }
      clock_.advance(milliseconds(100));
      waited += milliseconds(100);
    }
  };
  for (const int want : {100, 200, 400, 800, 1000, 1000}) EXPECT_EQ(wait_of("a").count(), want);
  EXPECT_EQ(wait_of("b").count(), 100);
  queue_.forget("a");
  EXPECT_EQ(wait_of("a").count(), 100);
}

TEST_F(WorkQueueTest, StopWakesThoseWhoWait) {
  std::thread waiting([&] { EXPECT_EQ(queue_.take(), std::nullopt); });
  queue_.stop();
  waiting.join();
}

TEST(WorkQueue, TakeWaitsForAnAdd) {
  const SystemClock clock;
  WorkQueue queue(clock);
  std::thread adding([&] { queue.add_after("a", milliseconds(1)); });
  EXPECT_EQ(queue.take(), "a");
  adding.join();
}

}  // namespace
}  // namespace mcpfleet::kube
