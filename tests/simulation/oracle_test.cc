#include "simulation/oracle.h"

#include <gtest/gtest.h>

#include "simulation/generate.h"
#include "simulation/replay.h"
#include "tests/simulation/workloads.h"

namespace mcpfleet::simulation {
namespace {

Timeline carry_out(const Trace& trace, const Workload& workload, const Plan& plan) {
  PlannedPolicy policy(plan.replicas);
  return replay(trace, workload, policy, plan.replicas.front());
}

TEST(Oracle, WritesAPodAsLongBeforeItIsNeededAsItStarts) {
  Trace trace;
  append(trace, 100, 50);
  append(trace, 300, 50);
  const Plan plan = simulation::plan(trace, plain_workload());
  EXPECT_EQ(plan.replicas[39], 1);
  EXPECT_EQ(plan.replicas[40], 3);
  EXPECT_EQ(plan.serving[49], 1);
  EXPECT_EQ(plan.serving[50], 3);
  EXPECT_FALSE(plan.limited);
  EXPECT_FALSE(plan.hopeless);
  // 100 s of one pod, 50 s of two more and their 10 s of starting.
  EXPECT_EQ(carry_out(trace, plain_workload(), plan).pod_seconds, 100 + 2 * 60);
}

TEST(Oracle, KeepsAPodWhereThatIsCheaperThanAnotherStart) {
  for (const int gap : {15, 16}) {
    Trace trace;
    append(trace, 200, 20);
    append(trace, 100, gap);
    append(trace, 200, 20);
    const Plan plan = simulation::plan(trace, plain_workload());
    EXPECT_EQ(plan.needed[25], 1);
    EXPECT_EQ(plan.serving[25], gap == 15 ? 2 : 1) << gap;
  }
}

// 110 calls in one second, 100 can be served: the last wait a tenth of a second, and may.
TEST(Oracle, LetsCallsWaitAsLongAsTheyMay) {
  Trace trace;
  append(trace, 80, 10);
  append(trace, 110, 1);
  append(trace, 80, 10);
  for (const int pods : simulation::plan(trace, plain_workload()).needed) EXPECT_EQ(pods, 1);
}

TEST(Oracle, IsNeverOverTheObjective) {
  for (const char* text : {"steps", "ramp", "spike", "noise", "day:seconds=7200,period=7200",
                           "spike:base=0,peak=2000", "noise:base=20,peak=100"}) {
    for (const double objective : {0.1, 0.3, 0.5, 2.5}) {
      Workload workload = plain_workload();
      workload.objective.seconds = objective;
      const Trace trace = generate(*parse_shape(text), text);
      const Plan plan = simulation::plan(trace, workload);
      ASSERT_FALSE(plan.limited);
      for (const Moment& moment : carry_out(trace, workload, plan).moments) {
        ASSERT_NEAR(moment.late, 0, 1e-6) << text << " " << objective;
        ASSERT_EQ(moment.lost, 0);
        ASSERT_FALSE(moment.over);
      }
    }
  }
}

TEST(Oracle, SaysWhatCannotBe) {
  Trace trace;
  append(trace, 1000, 20);
  Workload workload = plain_workload();
  workload.limits.max_replicas = 5;
  EXPECT_TRUE(simulation::plan(trace, workload).limited);
  EXPECT_EQ(simulation::plan(trace, workload).needed[10], 5);

  workload = plain_workload();
  workload.objective.seconds = 0.05;
  const Plan plan = simulation::plan(trace, workload);
  EXPECT_TRUE(plan.hopeless);
  EXPECT_EQ(plan.needed[10], 10) << "nobody waits at least";
}

TEST(Oracle, KeepsTheMinimum) {
  Trace trace;
  append(trace, 0, 20);
  Workload workload = plain_workload();
  workload.limits.min_replicas = 3;
  for (const int pods : simulation::plan(trace, workload).replicas) EXPECT_EQ(pods, 3);
}

}  // namespace
}  // namespace mcpfleet::simulation
