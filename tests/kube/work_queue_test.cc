#include "kube/work_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <vector>

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

TEST_F(WorkQueueTest, StopForgetsWhatNobodyHas) {
  queue_.add("a");
  queue_.add("b");
  EXPECT_EQ(take(), "a");
  queue_.stop();
  queue_.add("c");
  queue_.done("a");
  EXPECT_EQ(queue_.depth(), 0U);
  EXPECT_EQ(take(), "nothing");
}

// A few keys that are wanted again and again, also while they are worked on, and one that fails.
TEST_F(WorkQueueTest, UnderAStormEachKeyIsServedInItsTurn) {
  constexpr int kQuiet = 200;
  const std::vector<std::string> storm{"s1", "s2", "s3"};
  for (const auto& key : storm) queue_.add(key);
  queue_.add_failed("failing");
  for (int i = 0; i < kQuiet; ++i) queue_.add("q" + std::to_string(i));
  std::map<std::string, int> served;
  int turns = 0;
  for (; served.size() < kQuiet + storm.size() && turns < 10 * kQuiet; ++turns) {
    for (const auto& key : storm) queue_.add(key);
    const auto key = take();
    ++served[key];
    for (const auto& again : storm) queue_.add(again);
    queue_.done(key);
  }
  // Between two turns of a storming key all who waited had theirs.
  EXPECT_LE(turns, kQuiet + 2 * static_cast<int>(storm.size()));
  for (const auto& key : storm) EXPECT_LE(served[key], 2) << key;
}

class Counts final : public WorkObserver {
 public:
  void added() override { ++adds; }
  void retried() override { ++retries; }
  void taken(Duration waited) override { waits.push_back(in_ms(waited)); }
  void finished(Duration worked) override { works.push_back(in_ms(worked)); }
  void load(std::size_t ready_keys, std::size_t working_keys) override {
    ready = ready_keys;
    working = working_keys;
  }
  static long in_ms(Duration time) { return std::chrono::round<milliseconds>(time).count(); }

  int adds = 0;
  int retries = 0;
  std::vector<long> waits;
  std::vector<long> works;
  std::size_t ready = 0;
  std::size_t working = 0;
};

TEST(WorkQueue, TellsItsObserver) {
  using Times = std::vector<long>;
  ManualClock clock;
  Counts counts;
  WorkQueue queue(clock, {milliseconds(100), seconds(1)}, &counts);
  queue.add("a");
  queue.add("b");
  queue.add("a");
  EXPECT_EQ(counts.adds, 3);
  EXPECT_EQ(counts.ready, 2U);
  clock.advance(milliseconds(30));
  queue.try_take();
  EXPECT_EQ(counts.waits, Times{30});
  EXPECT_EQ(counts.ready, 1U);
  EXPECT_EQ(counts.working, 1U);
  clock.advance(milliseconds(10));
  queue.add("a");  // waits from now on, though it is at work
  clock.advance(milliseconds(10));
  queue.done("a");
  EXPECT_EQ(counts.works, Times{20});
  EXPECT_EQ(counts.ready, 2U);
  EXPECT_EQ(counts.working, 0U);
  clock.advance(milliseconds(5));
  queue.try_take();
  queue.try_take();
  EXPECT_EQ(counts.waits, (Times{30, 55, 15}));
  queue.add_failed("b");
  EXPECT_EQ(counts.retries, 1);
  queue.done("a");
  queue.done("b");
  clock.advance(milliseconds(150));
  queue.try_take();
  EXPECT_EQ(counts.adds, 5);
  EXPECT_EQ(counts.waits.back(), 0);  // the back-off is no waiting
  queue.stop();
  queue.done("b");
  EXPECT_EQ(counts.ready, 0U);
  EXPECT_EQ(counts.working, 0U);
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
