#include "simulation/call_queue.h"

#include <gtest/gtest.h>

#include "simulation/random.h"
#include "tests/simulation/workloads.h"

namespace mcpfleet::simulation {
namespace {

TEST(CallQueue, WhoeverComesWithinTheCapacityDoesNotWait) {
  CallQueue queue(plain_workload());
  for (int second = 0; second < 5; ++second) {
    const CallSecond result = queue.step(100, 100);
    EXPECT_EQ(result.served, 100);
    EXPECT_EQ(result.late, 0);
    EXPECT_EQ(result.wait_sum, 0);
    EXPECT_FALSE(result.over);
  }
  EXPECT_EQ(queue.waiting(), 0);
}

// 200 calls come within a second, 100 can be served. The call n comes at n/200 and is served at
// n/100, so that it waits n/200: 0.5 s for the last of the first second. Those above 0.4 s are
// late.
TEST(CallQueue, WaitsAreStraightLines) {
  CallQueue queue(plain_workload());
  const CallSecond first = queue.step(200, 100);
  EXPECT_NEAR(first.served, 100, 1e-9);
  EXPECT_NEAR(first.late, 20, 1e-5);
  EXPECT_NEAR(first.worst_wait, 0.5, 1e-9);
  EXPECT_NEAR(first.wait_sum, 25, 1e-9);
  EXPECT_TRUE(first.over);  // 20 % are late, and 5 % may be
  EXPECT_NEAR(queue.waiting(), 100, 1e-9);
  EXPECT_NEAR(queue.oldest(), 0.5, 1e-9);

  const CallSecond second = queue.step(0, 100);
  EXPECT_NEAR(second.served, 100, 1e-9);
  EXPECT_NEAR(second.late, 100, 1e-5);
  EXPECT_NEAR(second.worst_wait, 1, 1e-9);
  EXPECT_NEAR(second.wait_sum, 75, 1e-9);
  EXPECT_EQ(queue.waiting(), 0);
}

// 50 wait, 100 more come evenly and 200 can be served: after half a second nobody waits any more.
TEST(CallQueue, CatchesUpWithinASecond) {
  CallQueue queue(plain_workload());
  queue.step(50, 0);
  const CallSecond result = queue.step(100, 200);
  EXPECT_NEAR(result.served, 150, 1e-9);
  EXPECT_EQ(queue.waiting(), 0);
  // The 50 waited from 1 s down to 0.25 s; the next 50 from 0.25 s down to nothing.
  EXPECT_NEAR(result.wait_sum, 50 * (1 + 0.25) / 2 + 50 * 0.125, 1e-9);
  EXPECT_NEAR(result.late, 50 * (1 - 0.4) / 0.75, 1e-5);
}

TEST(CallQueue, CallersGoAwayWithinASecondOfTheirTimeout) {
  Workload workload = plain_workload();
  workload.objective.timeout_seconds = 3;
  CallQueue queue(workload);
  queue.step(10, 0);
  for (int second = 1; second <= 3; ++second) {
    const CallSecond result = queue.step(0, 0);
    EXPECT_EQ(result.lost, 0) << second;
    EXPECT_TRUE(result.over) << "somebody waits, and nobody is served";
  }
  EXPECT_EQ(queue.step(0, 0).lost, 10);
  EXPECT_EQ(queue.waiting(), 0);
}

TEST(CallQueue, ServingAloneMayTakeTooLong) {
  Workload workload = plain_workload();
  workload.pod.service_seconds = 0.6;
  CallQueue queue(workload);
  const CallSecond result = queue.step(10, 100);
  EXPECT_EQ(result.late, 10);
  EXPECT_TRUE(result.over);
}

TEST(CallQueue, NothingIsMadeAndNothingIsForgotten) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    Workload workload = plain_workload();
    workload.objective.timeout_seconds = 1 + 20 * random.uniform();
    CallQueue queue(workload);
    double came = 0;
    double left = 0;
    for (int second = 0; second < 2000; ++second) {
      const double arrivals = random.uniform() < 0.3 ? 0 : 300 * random.uniform();
      const double capacity = random.uniform() < 0.1 ? 0 : 250 * random.uniform();
      const CallSecond result = queue.step(arrivals, capacity);
      came += arrivals;
      left += result.served + result.lost;
      ASSERT_NEAR(came, left + queue.waiting(), 1e-6) << "seed " << seed << " second " << second;
      ASSERT_LE(result.served, capacity + 1e-6);
      ASSERT_LE(result.late, result.served + 1e-6);
      ASSERT_LE(result.worst_wait, workload.objective.timeout_seconds + 1.001);
      ASSERT_LE(queue.oldest(), workload.objective.timeout_seconds + 1.001);
    }
  }
}

}  // namespace
}  // namespace mcpfleet::simulation
