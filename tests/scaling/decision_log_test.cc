#include "scaling/decision_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Signal kRate = Signal::RequestsPerSecond;

class DecisionLogTest : public testing::Test {
 protected:
  Noted second(Life::Values values) { return log_.note(life_.policy, life_.second(values)); }
  Life life_{rate_policy()};
  DecisionLog log_{3};
};

TEST_F(DecisionLogTest, AChangeHasAllOfIt) {
  EXPECT_EQ(second({{kRate, 412}}), Noted::Change);
  const LoggedDecision& entry = log_.entries().back();
  EXPECT_EQ(entry.since, life_.facts.now);
  EXPECT_EQ(entry.from, 4);
  EXPECT_EQ(entry.to, 9);
  EXPECT_TRUE(entry.acted);
  EXPECT_EQ(entry.by, "target");
  EXPECT_EQ(entry.reason, "Over target");
  EXPECT_THAT(entry.message, HasSubstr("so 4 → 9 replicas"));
  EXPECT_THAT(entry.inputs, ElementsAre(LoggedInput{"mcp_requests_per_second", 412}));
  EXPECT_TRUE(entry.limits.empty());
  const fleet::Decision stored = to_decision(entry);
  EXPECT_EQ(stored.to, 9);
  EXPECT_EQ(stored.reason, "Over target");
}

TEST_F(DecisionLogTest, StaysGrowOneEntry) {
  second({{kRate, 412}});
  EXPECT_EQ(second({{kRate, 412}}), Noted::Stay);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(second({{kRate, 412 + i % 20}}), Noted::Nothing);
  ASSERT_EQ(log_.entries().size(), 2U);
  EXPECT_EQ(log_.entries().back().count, 101U);
  EXPECT_EQ(log_.entries().back().last - log_.entries().back().since, seconds(100));
}

TEST_F(DecisionLogTest, AStayForAnotherReasonTakesItsPlace) {
  second({{kRate, 412}});
  second({{kRate, 412}});
  for (int i = 0; i < 59; ++i) second({});
  EXPECT_EQ(second({}), Noted::Nothing);
  EXPECT_EQ(second({}), Noted::Stay);
  ASSERT_EQ(log_.entries().size(), 2U);
  EXPECT_EQ(log_.entries().back().reason, "Held without data");
  EXPECT_THAT(log_.entries().back().limits, ElementsAre("missing data"));
  EXPECT_EQ(log_.entries().front().to, 9) << "changes are not pushed out";
}

TEST_F(DecisionLogTest, KeepsTheLastFew) {
  for (int i = 0; i < 20; ++i) second({{kRate, i % 2 == 0 ? 412 : 100}});
  EXPECT_EQ(log_.entries().size(), 3U);
  EXPECT_EQ(log_.entries().back().to, 2);
}

TEST_F(DecisionLogTest, DryRunDoesNotFillIt) {
  life_.policy.mode = Mode::DryRun;
  EXPECT_EQ(second({{kRate, 412}}), Noted::Change);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(second({{kRate, 412}}), Noted::Nothing);
  ASSERT_EQ(log_.entries().size(), 1U);
  EXPECT_FALSE(log_.entries()[0].acted);
  EXPECT_EQ(log_.entries()[0].to, 4);
  EXPECT_EQ(log_.entries()[0].advised, 9);
}

TEST_F(DecisionLogTest, NamesTheRuleOrTheSchedule) {
  life_.policy.schedules = {
      {"night", Cron::parse("0 0 * * *").value(), std::chrono::hours(1), 30, Duration{0}}};
  second({{kRate, 10}});
  EXPECT_EQ(log_.entries().back().rule, "night");
  fleet::Decision rules;
  rules.rule = "slow";
  life_.rules_floor = 40;
  const Verdict got = life_.second({{kRate, 10}});
  log_.note(life_.policy, got, &rules);
  EXPECT_EQ(log_.entries().back().rule, "slow");
  EXPECT_EQ(log_.entries().back().by, "rules");
}

TEST_F(DecisionLogTest, ARuleThatFiredSpeaksForItself) {
  fleet::Decision rules{{}, 30, 40, "slow", "Threshold exceeded", "rule slow: …"};
  life_.rules_floor = 40;
  const Verdict got = life_.second({{kRate, 10}});
  log_.note(life_.policy, got, &rules);
  EXPECT_EQ(log_.entries().back().reason, "Threshold exceeded");
  EXPECT_THAT(log_.entries().back().message, testing::HasSubstr("rule slow: …"));
}

}  // namespace
}  // namespace mcpfleet::scaling
