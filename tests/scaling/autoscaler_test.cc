#include "scaling/autoscaler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "rules.h"

namespace mcpfleet::scaling {
namespace {

using testing::HasSubstr;

// A scaler with its settings and time.
class AutoScalerTest : public testing::Test {
 protected:
  // One second passes; then `sample` of `metric` is read, and all is evaluated.
  Evaluation tick(const Sample& sample, const char* metric = kP95) {
    now_ += seconds(1);
    scaler_.record(settings_, metric, "", sample, now_);
    return scaler_.evaluate(settings_, observed_, now_);
  }
  // The same for so long; the last evaluation with a decision, or just the last.
  Evaluation ticks(int count, const Sample& sample, const char* metric = kP95) {
    Evaluation last;
    std::optional<Evaluation> decided;
    for (int i = 0; i < count; ++i) {
      last = tick(sample, metric);
      if (last.decision) decided = last;
    }
    return decided.value_or(last);
  }
  void restart() { scaler_ = AutoScaler(scaler_.status()); }

  Autoscaling settings_ = between(3, 10, {slow()});
  AutoScaler scaler_;
  int observed_ = 3;
  WallTime now_ = kStart;
};

TEST_F(AutoScalerTest, StartsAtTheMinimumWithoutData) {
  const auto got = scaler_.evaluate(settings_, observed_, now_);
  EXPECT_EQ(got.floor, 3);
  EXPECT_FALSE(got.decision);
  ASSERT_EQ(got.outcomes.size(), 1U);
  EXPECT_EQ(got.outcomes[0].reason, "No metric data");
  EXPECT_FALSE(got.outcomes[0].action);
  EXPECT_THAT(got.problems, testing::ElementsAre(HasSubstr("rule slow has no data for mcp_request_"
                                                           "duration_seconds_p95: nothing was")));
}

TEST_F(AutoScalerTest, ScaleUpSaysWhatItSawAndDid) {
  const auto got = tick(Sample::of(0.412));
  EXPECT_EQ(got.floor, 5);
  ASSERT_TRUE(got.decision);
  EXPECT_EQ(got.decision->from, 3);
  EXPECT_EQ(got.decision->to, 5);
  EXPECT_EQ(got.decision->rule, "slow");
  EXPECT_EQ(got.decision->reason, "Threshold exceeded");
  EXPECT_EQ(got.decision->message,
            "rule slow: mcp_request_duration_seconds_p95 averaged 0.412 over 30s > 0.2, so 3 → 5 "
            "replicas");
  const Outcome& outcome = got.outcomes[0];
  EXPECT_EQ(outcome.rule, "slow");
  EXPECT_EQ(outcome.action, Action::ScaleUp);
  EXPECT_EQ(outcome.metric, kP95);
  EXPECT_DOUBLE_EQ(*outcome.current_value, 0.412);
  EXPECT_DOUBLE_EQ(outcome.threshold, 0.2);
  ASSERT_EQ(got.readings.size(), 1U);
  EXPECT_EQ(got.readings[0].current, "0.41");
  EXPECT_EQ(got.readings[0].target, "> 0.2");
}

TEST_F(AutoScalerTest, TheFiveReasons) {
  EXPECT_EQ(tick(Sample::missing("no answer")).outcomes[0].reason, "No metric data");
  EXPECT_EQ(tick(Sample::of(0.1)).outcomes[0].reason, "Threshold not met");
  EXPECT_EQ(ticks(60, Sample::of(0.9)).outcomes[0].reason, "Threshold exceeded");
  EXPECT_EQ(tick(Sample::of(0.9)).outcomes[0].reason, "Cooldown period");
  now_ += seconds(120);
  EXPECT_EQ(tick(Sample::missing("gone")).outcomes[0].reason, "No recent data");
}

TEST_F(AutoScalerTest, Operators) {
  const struct {
    Operator op;
    double value;
    bool want;
  } cases[] = {
      {Operator::Greater, 0.2, false},       {Operator::Greater, 0.21, true},
      {Operator::GreaterOrEqual, 0.2, true}, {Operator::GreaterOrEqual, 0.19, false},
      {Operator::Less, 0.2, false},          {Operator::Less, 0.19, true},
      {Operator::LessOrEqual, 0.2, true},    {Operator::LessOrEqual, 0.21, false},
  };
  for (const auto& test : cases) {
    scaler_ = AutoScaler();
    settings_.rules[0].op = test.op;
    EXPECT_EQ(tick(Sample::of(test.value)).decision.has_value(), test.want)
        << static_cast<int>(test.op) << " " << test.value;
  }
}

TEST_F(AutoScalerTest, TheAverageDecidesNotThePeak) {
  ticks(9, Sample::of(0.1));
  EXPECT_FALSE(tick(Sample::of(0.9)).decision) << "average 0.18";
  EXPECT_TRUE(tick(Sample::of(0.9)).decision) << "average 0.245";
}

TEST_F(AutoScalerTest, ClippedAtTheMaximumAndSaysSo) {
  observed_ = 9;
  const auto got = tick(Sample::of(1));
  EXPECT_EQ(got.floor, 10);
  EXPECT_TRUE(got.limited);
  EXPECT_THAT(got.decision->message,
              HasSubstr("9 → 10 replicas (11 wanted, but maxReplicas is 10)"));
}

TEST_F(AutoScalerTest, AtTheMaximumNothingFiresAgain) {
  observed_ = 9;
  tick(Sample::of(1));
  observed_ = 10;
  const auto got = ticks(200, Sample::of(1));
  EXPECT_FALSE(got.decision);
  EXPECT_TRUE(got.limited);
  EXPECT_FALSE(got.outcomes[0].action);
  EXPECT_THAT(got.outcomes[0].message, HasSubstr("but maxReplicas 10 is reached"));
}

TEST_F(AutoScalerTest, WaitsUntilTheReplicasAreThere) {
  tick(Sample::of(1));
  const auto waiting = ticks(200, Sample::of(1));
  EXPECT_FALSE(waiting.decision) << "5 were asked for, 3 are there";
  EXPECT_EQ(waiting.outcomes[0].reason, "Cooldown period");
  EXPECT_THAT(waiting.outcomes[0].message,
              HasSubstr("but the 5 replicas asked for before are not there yet (3 are)"));
  observed_ = 5;
  EXPECT_EQ(tick(Sample::of(1)).floor, 7);
}

TEST_F(AutoScalerTest, TheCooldownHoldsTheRuleBack) {
  tick(Sample::of(1));
  observed_ = 5;
  EXPECT_FALSE(ticks(59, Sample::of(1)).decision);
  EXPECT_EQ(tick(Sample::of(1)).floor, 7);
}

TEST_F(AutoScalerTest, AmountsInPercentAreOfTheObservedRoundedUp) {
  settings_.max_replicas = 100;
  settings_.rules[0].amount = {std::nullopt, 25};
  observed_ = 5;
  EXPECT_EQ(tick(Sample::of(1)).floor, 7) << "25 % of 5 is 1.25, so 2";
}

TEST_F(AutoScalerTest, SeveralScaleUpsCombineByTheirMaximum) {
  Rule busy = slow();
  busy.name = "busy";
  busy.amount = {4, std::nullopt};
  settings_.rules.push_back(busy);
  const auto got = tick(Sample::of(1));
  EXPECT_EQ(got.floor, 7);
  EXPECT_EQ(got.decision->rule, "busy");
  EXPECT_TRUE(got.outcomes[0].action && got.outcomes[1].action) << "both fired";
  EXPECT_EQ(scaler_.status().last_fired.size(), 2U);
}

TEST_F(AutoScalerTest, AScaleUpBeatsAScaleDown) {
  settings_.rules.push_back(calm());
  now_ += seconds(1);
  scaler_.record(settings_, kP95, "", Sample::of(1), now_);
  scaler_.record(settings_, kInFlight, "", Sample::of(0), now_);
  auto got = scaler_.evaluate(settings_, observed_, now_);
  EXPECT_EQ(got.decision->rule, "slow");
  EXPECT_THAT(got.outcomes[1].message, HasSubstr("but rule slow wants more at the same time"));
  // And in its cooldown, too, while its condition holds.
  got = scaler_.evaluate(settings_, observed_, now_ + seconds(1));
  EXPECT_EQ(got.floor, 5);
  EXPECT_THAT(got.outcomes[1].message, HasSubstr("but rule slow wants more at the same time"));
}

TEST_F(AutoScalerTest, ScaleDownOnlyLowersTheFloor) {
  settings_.rules = {calm()};
  const auto got = tick(Sample::of(0), kInFlight);
  EXPECT_EQ(got.floor, 3);
  EXPECT_FALSE(got.decision);
  EXPECT_THAT(got.outcomes[0].message, HasSubstr("the floor is at minReplicas 3 already"));
}

TEST_F(AutoScalerTest, ScaleDownTakesItsAmountOffTheFloor) {
  settings_.rules.push_back(calm());
  tick(Sample::of(1));
  observed_ = 5;
  now_ += seconds(31);
  scaler_.record(settings_, kP95, "", Sample::of(0.1), now_);
  scaler_.record(settings_, kInFlight, "", Sample::of(0.5), now_);
  const auto got = scaler_.evaluate(settings_, observed_, now_);
  EXPECT_EQ(got.floor, 4);
  EXPECT_EQ(got.decision->message,
            "rule calm: mcp_requests_in_flight averaged 0.5 over 30s < 1, so the floor goes 5 → 4 "
            "replicas");
}

TEST_F(AutoScalerTest, TheFloorIsReleasedStepByStepWhenNothingHolds) {
  settings_.rules[0].cooldown = seconds(20);
  tick(Sample::of(1));
  observed_ = 5;
  now_ += seconds(19);
  EXPECT_EQ(tick(Sample::of(1)).floor, 7);
  observed_ = 7;
  now_ += seconds(31);  // the window is over
  // Held last when it fired: 30 s of window and 20 s of cooldown from then.
  EXPECT_FALSE(ticks(18, Sample::of(0.1)).decision);
  const auto first = tick(Sample::of(0.1));
  EXPECT_EQ(first.floor, 5);
  EXPECT_EQ(first.decision->reason, "Floor released");
  EXPECT_EQ(first.decision->message,
            "no ScaleUp rule held for its window and cooldown, so the floor goes 7 → 5 replicas");
  EXPECT_FALSE(ticks(19, Sample::of(0.1)).decision);
  EXPECT_EQ(tick(Sample::of(0.1)).floor, 3);
  EXPECT_FALSE(ticks(100, Sample::of(0.1)).decision) << "not below the minimum";
}

TEST_F(AutoScalerTest, MissingDataHoldsTheFloor) {
  tick(Sample::of(1));
  observed_ = 5;
  const auto got = ticks(1000, Sample::missing("scrape of pod time-1 failed"));
  EXPECT_EQ(got.floor, 5);
  EXPECT_THAT(got.problems[0], HasSubstr("within its window of 30s: scrape of pod time-1 failed"));
  EXPECT_EQ(ticks(91, Sample::of(0.1)).floor, 3);
}

TEST_F(AutoScalerTest, IdleReleasesAndNeverFires) {
  settings_.rules[0].op = Operator::Less;  // an idle server is not fast
  tick(Sample::of(0.1));
  observed_ = 5;
  EXPECT_EQ(scaler_.status().floor, 5);
  const auto got = tick(Sample::idle());
  EXPECT_EQ(got.outcomes[0].reason, "Cooldown period");
  now_ += seconds(60);
  const auto idle = tick(Sample::idle());
  EXPECT_EQ(idle.outcomes[0].reason, "Threshold not met");
  EXPECT_THAT(idle.outcomes[0].message, HasSubstr("is idle: there is nothing to measure"));
  EXPECT_TRUE(idle.problems.empty());
  EXPECT_EQ(ticks(60, Sample::idle()).floor, 3);
}

TEST_F(AutoScalerTest, RulesOfATool) {
  settings_.rules[0].tool = "search";
  EXPECT_EQ(tick(Sample::of(1)).outcomes[0].reason, "No metric data") << "that was of all requests";
  scaler_.record(settings_, kP95, "search", Sample::of(1), now_);
  const auto got = scaler_.evaluate(settings_, observed_, now_);
  EXPECT_THAT(got.decision->message, HasSubstr("mcp_request_duration_seconds_p95 of tool search"));
}

TEST_F(AutoScalerTest, ARuleThatLooksElsewhereStartsEmpty) {
  tick(Sample::of(1));
  settings_.rules[0].metric = kInFlight;
  EXPECT_EQ(scaler_.evaluate(settings_, 5, now_).outcomes[0].reason, "No metric data");
}

TEST_F(AutoScalerTest, RemovedRulesAreForgottenAndLeaveNoFloor) {
  tick(Sample::of(1));
  settings_.rules.clear();
  const auto got = scaler_.evaluate(settings_, 5, now_ + seconds(1));
  EXPECT_EQ(got.floor, 3);
  EXPECT_TRUE(scaler_.status().last_fired.empty());
}

TEST_F(AutoScalerTest, NewLimitsHoldAtOnce) {
  tick(Sample::of(1));
  settings_ = between(1, 4, {slow()});
  EXPECT_EQ(scaler_.evaluate(settings_, 5, now_).floor, 4);
  settings_ = between(8, 9, {slow()});
  EXPECT_EQ(scaler_.evaluate(settings_, 5, now_).floor, 8);
}

TEST_F(AutoScalerTest, ARestartKeepsFloorAndCooldown) {
  now_ += milliseconds(300);
  tick(Sample::of(1));
  observed_ = 5;
  restart();
  EXPECT_EQ(scaler_.evaluate(settings_, observed_, now_).floor, 5);
  EXPECT_FALSE(ticks(59, Sample::of(1)).decision) << "in its cooldown still";
  EXPECT_EQ(ticks(2, Sample::of(1)).floor, 7);
}

TEST_F(AutoScalerTest, ARestartNeverReleasesEarly) {
  tick(Sample::of(1));
  observed_ = 5;
  now_ += seconds(3600);
  restart();
  EXPECT_FALSE(ticks(90, Sample::of(0.1)).decision);
  EXPECT_EQ(tick(Sample::of(0.1)).floor, 3);
}

TEST_F(AutoScalerTest, AClockThatJumpsBackFiresNothing) {
  tick(Sample::of(1));
  observed_ = 5;
  now_ -= seconds(86'400);
  EXPECT_FALSE(ticks(59, Sample::of(1)).decision) << "the cooldown starts anew";
  EXPECT_EQ(ticks(3, Sample::of(1)).floor, 7) << "and does not last a day";
}

TEST_F(AutoScalerTest, ADeploymentAtZeroIsLeftThere) {
  observed_ = 0;
  EXPECT_FALSE(ticks(100, Sample::of(1)).decision);
}

TEST(FormatValueTest, AsPeopleWriteIt) {
  const struct {
    double value;
    const char* want;
  } cases[] = {{0, "0"},           {0.2, "0.2"},   {0.41239, "0.412"}, {3, "3"},
               {100.25, "100.25"}, {1500, "1500"}, {-2.5, "-2.5"},     {0.00071, "0.00071"}};
  for (const auto& test : cases) EXPECT_EQ(format_value(test.value), test.want);
}

}  // namespace
}  // namespace mcpfleet::scaling
