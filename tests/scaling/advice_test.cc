#include "scaling/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::scaling {
namespace {

using fleet::Action;
using fleet::Operator;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

fleet::Rule rule(const char* name, Operator op, double threshold, Action action) {
  fleet::Rule result;
  result.name = name;
  result.metric = "mcp_requests_in_flight";
  result.op = op;
  result.threshold = threshold;
  result.action = action;
  return result;
}

std::vector<std::string> of(const fleet::Rule& a, const fleet::Rule& b) {
  fleet::Autoscaling autoscaling;
  autoscaling.targets.concurrency_milli = 1000;
  autoscaling.rules = {a, b};
  return advice(autoscaling);
}

TEST(AdviceTest, RulesThatContradictEachOther) {
  const struct {
    Operator up;
    double up_at;
    Operator down;
    double down_at;
    bool contradict;
  } cases[] = {
      {Operator::Greater, 5, Operator::Less, 2, false},
      {Operator::Greater, 5, Operator::Less, 5, false},
      {Operator::GreaterOrEqual, 5, Operator::LessOrEqual, 5, true},
      {Operator::Greater, 2, Operator::Less, 5, true},
      {Operator::Greater, 5, Operator::Greater, 50, true},
      {Operator::Less, 5, Operator::Greater, 5, false},
      {Operator::Less, 5, Operator::Greater, 2, true},
      {Operator::Less, 5, Operator::Less, 1, true},
  };
  for (const auto& test : cases)
    EXPECT_EQ(!of(rule("a", test.up, test.up_at, Action::ScaleUp),
                  rule("b", test.down, test.down_at, Action::ScaleDown))
                   .empty(),
              test.contradict)
        << test.up_at << " " << test.down_at;
  EXPECT_THAT(of(rule("busy", Operator::Greater, 2, Action::ScaleUp),
                 rule("calm", Operator::Less, 5, Action::ScaleDown)),
              ElementsAre("rule busy (> 2) and rule calm (< 5) contradict each other over "
                          "mcp_requests_in_flight; where both hold, ScaleUp counts"));
}

TEST(AdviceTest, OfDifferentThingsNoneContradicts) {
  auto search = rule("a", Operator::Greater, 1, Action::ScaleUp);
  search.tool = "search";
  EXPECT_THAT(of(search, rule("b", Operator::Less, 9, Action::ScaleDown)), IsEmpty());
  EXPECT_THAT(of(rule("a", Operator::Greater, 1, Action::ScaleUp),
                 rule("b", Operator::Less, 9, Action::ScaleUp)),
              IsEmpty());
}

TEST(AdviceTest, ACooldownThatIsOverBeforeTheNextSample) {
  auto hasty = rule("hasty", Operator::Greater, 1, Action::ScaleUp);
  hasty.window = seconds(1000);
  hasty.cooldown = seconds(9);
  EXPECT_THAT(of(hasty, rule("b", Operator::Greater, 9, Action::ScaleUp)),
              ElementsAre(HasSubstr("rule hasty: cooldown 9s is over before the next sample")));
}

}  // namespace
}  // namespace mcpfleet::scaling
