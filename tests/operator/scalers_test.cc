#include "operator/scalers.h"

#include <gtest/gtest.h>

#include "operator/gatherer.h"
#include "operator/pod_counts.h"

namespace mcpfleet::op {
namespace {

using std::chrono::seconds;

class ScalersTest : public testing::Test {
 protected:
  ScalersTest() {
    server_.name = "s";
    server_.namespace_ = "ns";
    server_.uid = "1";
    server_.generation = 1;
    auto& autoscaling = server_.autoscaling.emplace();
    autoscaling.min_replicas = 3;
    autoscaling.max_replicas = 10;
    fleet::Rule rule;
    rule.name = "slow";
    rule.metric = "mcp_request_duration_seconds_p95";
    rule.threshold = 0.2;
    rule.amount.pods = 2;
    rule.window = seconds(10);
    rule.cooldown = seconds(10);
    autoscaling.rules.push_back(rule);
  }

  bool tick(Scalers& scalers, scaling::Sample sample, int replicas) {
    now_ += seconds(1);
    Tick tick;
    tick.measured = {{"mcp_request_duration_seconds_p95", "", std::move(sample)}};
    return scalers.tick(server_, std::move(tick), of(replicas), now_).tell;
  }
  // Ticks until something changes; how often.
  int ticks_until_changed(Scalers& scalers, const scaling::Sample& sample, int replicas) {
    for (int i = 1; i < 100; ++i) {
      if (tick(scalers, sample, replicas)) return i;
    }
    return 0;
  }
  ScalingView view(Scalers& scalers, int replicas) {
    return scalers.view(server_, of(replicas), now_);
  }
  static Replicas of(int replicas) { return {replicas, {.wanted = replicas, .ready = replicas}}; }

  fleet::MCPServer server_;
  WallTime now_{seconds(1'800'000'000)};
};

TEST_F(ScalersTest, AtFirstSightTheMinimumIsRecommended) {
  Scalers scalers;
  const auto first = view(scalers, 0);
  EXPECT_EQ(first.status.recommended_replicas, 3);
  EXPECT_FALSE(first.status.last_decision);
}

TEST_F(ScalersTest, ADecisionIsTheSameAfterARestart) {
  Scalers scalers;
  ASSERT_GT(ticks_until_changed(scalers, scaling::Sample::of(0.5), 3), 0);
  while (!view(scalers, 3).status.last_decision) tick(scalers, scaling::Sample::of(0.5), 3);
  const auto decided = view(scalers, 3);
  EXPECT_EQ(decided.status.recommended_replicas, 5);
  ASSERT_TRUE(decided.cause);
  EXPECT_EQ(decided.cause->metric, "mcp_request_duration_seconds_p95");
  EXPECT_EQ(decided.cause->threshold, 0.2);
  // What was stored is all that the next life has.
  server_.status.scaling = decided.status;
  Scalers next;
  EXPECT_EQ(view(next, 3).status, decided.status);
}

TEST_F(ScalersTest, AnotherServerOfTheSameNameStartsAnew) {
  Scalers scalers;
  fleet::ScalingStatus stored;
  stored.recommended_replicas = stored.floor = 7;
  server_.status.scaling = stored;
  EXPECT_EQ(view(scalers, 3).status.recommended_replicas, 7);
  server_.uid = "2";
  server_.status.scaling.reset();
  EXPECT_EQ(view(scalers, 3).status.recommended_replicas, 3);
}

TEST_F(ScalersTest, NewLimitsCountAtOnce) {
  Scalers scalers;
  view(scalers, 3);
  server_.autoscaling->min_replicas = 5;
  server_.generation = 2;
  EXPECT_EQ(view(scalers, 3).status.recommended_replicas, 5);
}

TEST_F(ScalersTest, ForgettingReadsTheStoredStatusAgain) {
  Scalers scalers;
  view(scalers, 3);
  server_.status.scaling.emplace().recommended_replicas = 6;
  server_.status.scaling->floor = 6;
  EXPECT_EQ(view(scalers, 3).status.recommended_replicas, 3);
  scalers.forget("ns/s");
  EXPECT_EQ(view(scalers, 3).status.recommended_replicas, 6);
}

// A server whose replicas are the operator's, four calls in flight to each.
class ActuatorTest : public testing::Test {
 protected:
  ActuatorTest() {
    server_.name = "s";
    server_.namespace_ = "ns";
    server_.uid = "1";
    server_.generation = 1;
    auto& autoscaling = server_.autoscaling.emplace();
    autoscaling.actuator = fleet::Actuator::Operator;
    autoscaling.min_replicas = 2;
    autoscaling.max_replicas = 10;
    autoscaling.targets.concurrency_milli = 4000;
    autoscaling.behavior = R"({
        "scaleUp": {"stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Pods", "value": 100, "periodSeconds": 1}]},
        "scaleDown": {"stabilizationWindowSeconds": 0}})";
  }

  Ticked tick(int replicas, std::optional<double> in_flight) {
    now_ += seconds(1);
    Tick tick;
    if (in_flight)
      tick.facts[scaling::Signal::Concurrency] = scaling::Measurement::of(*in_flight, now_);
    return scalers_.tick(server_, std::move(tick),
                         {replicas, {.wanted = replicas, .ready = replicas}}, now_);
  }
  fleet::ScalingStatus status(int replicas) {
    return scalers_.view(server_, {replicas, {.wanted = replicas, .ready = replicas}}, now_).status;
  }

  fleet::MCPServer server_;
  WallTime now_{seconds(1'800'000'000)};
  Scalers scalers_;
};

TEST_F(ActuatorTest, WritesWhatTheLoadAsksForAndSaysWhy) {
  for (int i = 0; i < 70; ++i) EXPECT_FALSE(tick(2, 6).write) << i;
  Ticked ticked;
  for (int i = 0; i < 100 && !ticked.write; ++i) ticked = tick(2, 30);
  ASSERT_TRUE(ticked.write);
  EXPECT_GT(*ticked.write, 2);
  ASSERT_TRUE(ticked.begun);
  EXPECT_TRUE(ticked.tell);
  const auto now = status(2);
  EXPECT_EQ(now.recommended_replicas, *ticked.write);
  EXPECT_EQ(now.mode, "Active");
  ASSERT_TRUE(now.last_decision);
  EXPECT_EQ(now.last_decision->to, *ticked.write);
  ASSERT_FALSE(now.decisions.empty());
  EXPECT_EQ(now.decisions[0].to, *ticked.write);
  ASSERT_FALSE(now.decisions[0].inputs.empty());
  EXPECT_EQ(now.decisions[0].inputs[0].name, "mcp_requests_in_flight");
  EXPECT_EQ(now.decisions[0].inputs[0].target, "4");
}

TEST_F(ActuatorTest, WhatWasWrittenCountsUntilTheWorkloadShowsIt) {
  Ticked ticked;
  for (int i = 0; i < 100 && !ticked.write; ++i) ticked = tick(2, 40);
  ASSERT_EQ(ticked.write, 10);
  scalers_.wrote("ns/s", 2, 10, now_);
  EXPECT_FALSE(tick(2, 40).write) << "the watch has not told of it";
  EXPECT_FALSE(tick(10, 40).write);
  // Somebody else undid it.
  for (int i = 0; i < 100 && !(ticked = tick(2, 40)).write; ++i) {
  }
  EXPECT_EQ(ticked.write, 10);
}

TEST_F(ActuatorTest, AWriteThatCameToNothingIsMadeAgain) {
  Ticked ticked;
  for (int i = 0; i < 100 && !ticked.write; ++i) ticked = tick(2, 40);
  scalers_.wrote("ns/s", 2, 10, now_);
  int ticks = 0;
  while (!tick(2, 40).write && ticks < 30) ++ticks;
  EXPECT_GE(ticks, 9);
  EXPECT_LT(ticks, 30);
}

TEST_F(ActuatorTest, OtherModesWriteNothing) {
  for (const auto mode : {fleet::ScalingMode::DryRun, fleet::ScalingMode::Paused}) {
    server_.autoscaling->mode = mode;
    ++server_.generation;
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(tick(2, 40).write);
    const auto now = status(2);
    EXPECT_EQ(now.recommended_replicas, 2);
    EXPECT_EQ(now.would_be, mode == fleet::ScalingMode::DryRun ? std::optional(10) : std::nullopt);
    EXPECT_FALSE(now.last_decision);
  }
}

TEST_F(ActuatorTest, LostMetricsAreSaidAndScaleNothingIn) {
  for (int i = 0; i < 100; ++i) tick(4, 16);
  bool said = false;
  for (int i = 0; i < 600; ++i) {
    EXPECT_FALSE(tick(4, std::nullopt).write);
    const auto view = scalers_.view(server_, {4, {.wanted = 4, .ready = 4}}, now_);
    said = said || !view.metric_problems.empty();
  }
  EXPECT_TRUE(said);
}

TEST_F(ActuatorTest, ATargetThatCannotBeMeasuredHoldsNothingUp) {
  server_.autoscaling->targets.cpu_utilization = 70;
  server_.autoscaling->targets.memory_utilization = 80;
  Ticked ticked;
  for (int i = 0; i < 400 && !ticked.write; ++i) ticked = tick(6, 8);
  ASSERT_TRUE(ticked.write);
  EXPECT_LT(*ticked.write, 6);
}

TEST_F(ActuatorTest, AScheduleCountsWithoutData) {
  server_.autoscaling->schedule = {{"always", "* * * * *", std::chrono::hours(1), 4}};
  Ticked ticked;
  for (int i = 0; i < 100 && !ticked.write; ++i) ticked = tick(2, std::nullopt);
  EXPECT_EQ(ticked.write, 4);
}

TEST_F(ActuatorTest, ARestartChangesNothingThatIsStored) {
  Ticked ticked;
  for (int i = 0; i < 100 && !ticked.write; ++i) ticked = tick(2, 40);
  scalers_.wrote("ns/s", 2, 10, now_);
  for (int i = 0; i < 100; ++i) tick(10, 40);
  const auto before = status(10);
  server_.status.scaling = before;
  scalers_.forget("ns/s");
  EXPECT_EQ(status(10), before);
  for (int i = 0; i < 100; ++i) tick(10, 40);
  EXPECT_EQ(status(10).decisions.back(), before.decisions.back());
  EXPECT_EQ(status(10).last_decision, before.last_decision);
}

TEST(PodCounts, AsDecidingCountsThem) {
  desired::ObservedPod crashing;
  crashing.problem = desired::PodProblem{"CrashLooping", ""};
  desired::ObservedPod leaving;
  leaving.deleting = true;
  const struct {
    const char* name;
    int wanted, replicas, updated, ready;
    std::vector<desired::ObservedPod> pods;
    scaling::Pods want;
  } cases[] = {
      {"all ready", 3, 3, 3, 3, {}, {3, 3, 0, 0, 0}},
      {"two start", 5, 5, 5, 3, {}, {5, 3, 2, 0, 0}},
      {"not made yet", 5, 3, 3, 3, {}, {5, 3, 2, 0, 0}},
      {"one will never be", 5, 5, 5, 3, {crashing}, {5, 3, 1, 0, 0}},
      {"a rollout", 3, 4, 1, 3, {}, {3, 0, 1, 0, 3}},
      {"one leaves", 2, 2, 2, 2, {leaving}, {2, 2, 0, 1, 0}},
      {"nothing", 0, 0, 0, 0, {}, {}},
  };
  for (const auto& test : cases) {
    desired::ReplicaCounts counts;
    counts.spec_replicas = test.wanted;
    counts.replicas = test.replicas;
    counts.updated_replicas = test.updated;
    counts.ready_replicas = test.ready;
    EXPECT_EQ(pods_of(counts, test.pods), test.want) << test.name;
  }
}

TEST(NeededSignals, WhatNobodyElseLooksAt) {
  using scaling::Signal;
  fleet::MCPServer server;
  auto& autoscaling = server.autoscaling.emplace();
  autoscaling.targets.requests_per_second_milli = 1;
  autoscaling.targets.cpu_utilization = 70;
  const auto needs = [&](Signal signal) { return needed_signals(server)[scaling::index(signal)]; };
  EXPECT_FALSE(needs(Signal::RequestsPerSecond)) << "the HPA tracks it";
  autoscaling.panic = fleet::Panic{};
  EXPECT_TRUE(needs(Signal::RequestsPerSecond));
  EXPECT_FALSE(needs(Signal::CpuUtilization));
  EXPECT_FALSE(needs(Signal::Concurrency));
  autoscaling.targets.latency = fleet::LatencyTarget{};
  EXPECT_TRUE(needs(Signal::Latency) && needs(Signal::Concurrency));
  autoscaling.actuator = fleet::Actuator::Operator;
  EXPECT_TRUE(needs(Signal::CpuUtilization));
  EXPECT_FALSE(needs(Signal::MemoryUtilization) || needs(Signal::Sessions));
}

}  // namespace
}  // namespace mcpfleet::op
