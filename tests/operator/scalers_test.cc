#include "operator/scalers.h"

#include <gtest/gtest.h>

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
    return scalers.tick(server_, {{"mcp_request_duration_seconds_p95", "", std::move(sample)}},
                        replicas, now_);
  }
  // Ticks until something changes; how often.
  int ticks_until_changed(Scalers& scalers, const scaling::Sample& sample, int replicas) {
    for (int i = 1; i < 100; ++i) {
      if (tick(scalers, sample, replicas)) return i;
    }
    return 0;
  }
  RulesView view(Scalers& scalers, int replicas) { return scalers.view(server_, replicas, now_); }

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
  stored.recommended_replicas = 7;
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
  EXPECT_EQ(view(scalers, 3).status.recommended_replicas, 3);
  scalers.forget("ns/s");
  EXPECT_EQ(view(scalers, 3).status.recommended_replicas, 6);
}

}  // namespace
}  // namespace mcpfleet::op
