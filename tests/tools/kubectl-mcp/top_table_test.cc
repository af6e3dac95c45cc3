#include "tools/kubectl-mcp/top_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explanations.h"
#include "golden.h"

namespace mcpfleet::kubectl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<TopRow> rows() {
  const auto ago = [](int seconds) { return noon() - std::chrono::seconds(seconds); };
  return {{.namespace_ = "team",
           .name = "search",
           .ready = 4,
           .replicas = 6,
           .recommended = 8,
           .reason = "Threshold exceeded",
           .by = "slow-search",
           .decided = ago(120),
           .rate = 402,
           .p95 = 0.395,
           .error_ratio = 0.0123,
           .in_flight = 61,
           .sessions = 40},
          {.namespace_ = "team",
           .name = "time",
           .ready = 1,
           .replicas = 1,
           .recommended = 1,
           .reason = "Idle",
           .by = "target",
           .decided = ago(5 * 3600),
           .rate = 0,
           .error_ratio = 0,
           .in_flight = 0,
           .sessions = 0},
          {.namespace_ = "a-namespace-with-a-name-that-is-long",
           .name = "a-server-with-a-name-that-nobody-wants-to-type",
           .ready = 0,
           .replicas = 2,
           .reason = "ImagePullFailed"}};
}

std::vector<std::string> names(std::vector<TopRow> rows, Sort sort) {
  sort_rows(rows, sort);
  std::vector<std::string> result;
  for (const auto& row : rows) result.push_back(row.name);
  return result;
}

TEST(TopTable, IsAsInTheGoldenFiles) {
  expect_golden("top.txt", top_table(rows(), {.now = noon()}));
  expect_golden("top-all.txt",
                top_table(rows(), {.namespaces = true, .width = 120, .now = noon()}));
  expect_golden("top-narrow.txt",
                top_table(rows(), {.namespaces = true, .width = 80, .now = noon()}));
}

TEST(TopTable, KeepsToTheWidth) {
  for (const std::size_t width :
       {std::size_t{72}, std::size_t{80}, std::size_t{100}, std::size_t{200}}) {
    for (const bool namespaces : {false, true}) {
      expect_no_line_over(
          width, top_table(rows(), {.namespaces = namespaces, .width = width, .now = noon()}));
    }
  }
}

TEST(TopTable, CountsTheRowsThatHaveNoRoom) {
  const std::string text = top_table(rows(), {.most_rows = 2, .now = noon()});
  EXPECT_THAT(text, HasSubstr("search"));
  EXPECT_THAT(text, Not(HasSubstr("time")));
  EXPECT_THAT(text, HasSubstr("\n… and 2 more\n"));
}

TEST(TopTable, WithoutServersThereIsNoTable) { EXPECT_EQ(top_table({}, {}), ""); }

TEST(TopTable, SortsByAColumnWithMissingValuesLast) {
  using ::testing::ElementsAre;
  const std::string last = "a-server-with-a-name-that-nobody-wants-to-type";
  EXPECT_THAT(names(rows(), Sort::Rate), ElementsAre("search", "time", last));
  EXPECT_THAT(names(rows(), Sort::Sessions), ElementsAre("search", "time", last));
  EXPECT_THAT(names(rows(), Sort::InFlight), ElementsAre("search", "time", last));
  EXPECT_THAT(names(rows(), Sort::P95), ElementsAre("search", last, "time"));
  EXPECT_THAT(names(rows(), Sort::Name), ElementsAre(last, "search", "time"));
}

TEST(TopRow, OfAnMCPServer) {
  const auto object = manifest(R"({"autoscaling": {"minReplicas": 2}})", R"({
    "replicas": 6, "readyReplicas": 4, "scaling": {"recommendedReplicas": 8, "decisions": [
      {"time": "2026-07-01T11:58:00Z", "from": 4, "to": 6, "by": "target", "reason": "Over target"}]}})");
  const auto row = decode_row(object.dump());
  ASSERT_TRUE(row);
  EXPECT_EQ(*row, (TopRow{.namespace_ = "team",
                          .name = "search",
                          .ready = 4,
                          .replicas = 6,
                          .recommended = 8,
                          .reason = "Over target",
                          .by = "target",
                          .decided = noon() - std::chrono::minutes(2)}));
}

TEST(TopRow, OneOnTrialRecommendsWhatThereWouldBe) {
  const auto object = manifest(
      "{}",
      R"({"replicas": 1, "scaling": {"recommendedReplicas": 1, "wouldBe": 3, "mode": "DryRun"}})");
  EXPECT_EQ(decode_row(object.dump())->recommended, 3);
}

TEST(TopRow, WithoutADecisionWhyItIsNotReady) {
  const auto object = manifest("{}", R"({"conditions": [
    {"type": "Ready", "status": "False", "reason": "CrashLooping", "message": "m"}]})");
  EXPECT_EQ(decode_row(object.dump())->reason, "CrashLooping");
}

TEST(TopRow, WhatIsNoMCPServerIsAnError) { EXPECT_FALSE(decode_row("[]")); }

}  // namespace
}  // namespace mcpfleet::kubectl
