#include "tools/kubectl-mcp/explain_json.h"

#include <gtest/gtest.h>

#include "explanations.h"
#include "golden.h"

namespace mcpfleet::kubectl {
namespace {

TEST(ExplainJson, HasWhatTheTextHas) {
  const std::string text = explain_json(busy());
  expect_golden("busy.json", text);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["autoscaling"]["drivers"][2]["name"], "requestsPerSecond");
  EXPECT_EQ(json["autoscaling"]["drivers"][2]["ageSeconds"], 1);
  EXPECT_EQ(json["status"]["scaling"]["decisions"][0]["to"], 6);
  EXPECT_EQ(json["hpa"]["lastScaleTime"], "2026-07-01T11:58:02Z");
}

TEST(ExplainJson, LeavesOutWhatIsNotKnown) {
  const auto json = nlohmann::json::parse(explain_json(still()));
  EXPECT_FALSE(json.contains("autoscaling"));
  EXPECT_FALSE(json.contains("hpa"));
  EXPECT_FALSE(json.contains("invalid"));
}

}  // namespace
}  // namespace mcpfleet::kubectl
