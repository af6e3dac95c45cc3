#include "tools/kubectl-mcp/explain_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explanations.h"
#include "golden.h"

namespace mcpfleet::kubectl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kWidth = 100;

struct Case {
  const char* name;
  Explanation explanation;
};

TEST(ExplainText, IsAsInTheGoldenFiles) {
  for (const Case& c : {Case{"busy", busy()}, Case{"blind", blind()}, Case{"trial", trial()},
                        Case{"still", still()}}) {
    const std::string text = explain_text(c.explanation, kWidth, /*colour=*/false);
    expect_golden(std::string(c.name) + ".txt", text);
    expect_no_line_over(kWidth, text);
  }
}

TEST(ExplainText, ANarrowTerminalWraps) {
  expect_no_line_over(60, explain_text(busy(), 60, false));
}

TEST(ExplainText, ColourOnlyWhereItIsAskedFor) {
  EXPECT_THAT(explain_text(busy(), kWidth, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(explain_text(busy(), kWidth, true), HasSubstr("\x1b[1m"));
}

TEST(ExplainText, WhatOthersWroteCannotSteerTheTerminal) {
  auto evil = busy();
  evil.server.status.scaling->decisions[0].message =
      "so\x1b[2J\nand \xc2\x9b"
      "2Jthis";
  const std::string text = explain_text(evil, kWidth, false);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, HasSubstr("so [2J and 2Jthis"));
}

TEST(ExplainText, SaysWhoHasNotLooked) {
  auto fresh = still();
  fresh.server.status = {};
  EXPECT_THAT(explain_text(fresh, kWidth, false),
              HasSubstr("mcp-operator has not looked at it yet"));
  EXPECT_THAT(explain_text(trial(), kWidth, false),
              HasSubstr("what follows is about generation 2, and this is 3."));
}

TEST(ExplainText, ASpecThatCannotBeReadIsNamed) {
  auto broken = still();
  broken.invalid = "spec.config.port must be a number";
  const std::string text = explain_text(broken, kWidth, false);
  EXPECT_THAT(text, HasSubstr("Its spec cannot be read: spec.config.port must be a number"));
  EXPECT_THAT(text, Not(HasSubstr("Nothing scales it")));
}

TEST(ExplainText, AnOlderOperatorsLastDecision) {
  auto old = busy();
  auto& scaling = *old.server.status.scaling;
  scaling.last_decision =
      fleet::Decision{noon() - std::chrono::minutes(5), 2, 4, "slow-search", "Threshold exceeded",
                      "rule slow-search: 0.4 > 0.2"};
  scaling.decisions.clear();
  EXPECT_THAT(explain_text(old, kWidth, false),
              HasSubstr("5m ago    2 → 4, by rule slow-search: Threshold exceeded"));
}

TEST(ExplainText, AnHpaThatIsNotThereIsSaid) {
  auto without = busy();
  without.hpa.reset();
  without.hpa_problem = "It does not exist.";
  EXPECT_THAT(explain_text(without, kWidth, false),
              HasSubstr("HorizontalPodAutoscaler search\n  It does not exist."));
}

}  // namespace
}  // namespace mcpfleet::kubectl
