#include "fleet/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mcpfleet::fleet {
namespace {

using std::chrono::seconds;

const WallTime kNow{seconds(1'767'225'600)};

Status everything() {
  Status status;
  status.observed_generation = 4;
  status.replicas = 5;
  status.ready_replicas = 3;
  status.selector = "mcpfleet.dev/server=time";
  status.address_url = "http://time.tools.svc/mcp";
  status.server_info =
      ServerInfo{"time", "1.2.3", {"2025-11-25", "2026-07-28"}, {"prompts", "tools"}, "6c9d8f7b5"};
  status.active_sessions = 0;
  status.scaling = ScalingStatus{
      7,
      6,
      "DryRun",
      8,
      {{kNow,
        3,
        5,
        "latency",
        "slow",
        "Latency objective",
        "…",
        {"maxReplicas"},
        {{"mcp_requests_in_flight", "12", "3", 1}, {"mcp_requests_per_second", "", "", 70}}},
       {kNow, 3, 3, "panic", "", "Threshold not met", "…"}},
      {{"mcp_requests_per_second", "1500m", "100", kNow}, {"cpu", "", "70%", kNow}},
      Decision{kNow, 3, 5, "slow", "Threshold exceeded", "rule slow: … 3 → 5 replicas"},
      {{"slow", kNow - seconds(9)}, {"calm", kNow}},
      kNow + seconds(1)};
  status.conditions = {{"Ready", ConditionStatus::False, "Starting", "0 of 3", kNow, 4},
                       {"Accepted", ConditionStatus::Unknown, "X", "", kNow, 3}};
  return status;
}

TEST(StatusTest, ComesBackAsItWasWritten) {
  const Status status = everything();
  EXPECT_EQ(decode_status(encode_status(status)), status);
  EXPECT_EQ(decode_status(encode_status(Status{})), Status{});
}

TEST(StatusTest, TheSameStatusHasTheSameBytes) {
  EXPECT_EQ(encode_status(everything()), encode_status(everything()));
}

TEST(StatusTest, NamesOfTheWireFormat) {
  const auto json = nlohmann::json::parse(encode_status(everything()));
  EXPECT_EQ(json["serverInfo"], nlohmann::json::parse(R"({"name": "time", "version": "1.2.3",
      "protocolVersions": ["2025-11-25", "2026-07-28"], "capabilities": ["prompts", "tools"],
      "revision": "6c9d8f7b5"})"));
  EXPECT_EQ(json["scaling"]["decisions"][0], nlohmann::json::parse(R"({
      "time": "2026-01-01T00:00:00Z", "from": 3, "to": 5, "by": "latency", "rule": "slow",
      "reason": "Latency objective", "message": "…", "limits": ["maxReplicas"], "inputs": [
        {"name": "mcp_requests_in_flight", "value": "12", "target": "3", "ageSeconds": 1},
        {"name": "mcp_requests_per_second", "ageSeconds": 70}]})"));
  EXPECT_EQ(json["scaling"]["lastDecision"]["from"], 3);
  EXPECT_EQ(json["scaling"]["rules"][0]["name"], "calm");
  EXPECT_EQ(json["scaling"]["rules"][0]["lastFired"], "2026-01-01T00:00:00Z");
  EXPECT_EQ(json["sessions"]["active"], 0);
  EXPECT_EQ(json["conditions"][0]["status"], "False");
  EXPECT_FALSE(json["scaling"]["metrics"][1].contains("current"));
}

TEST(StatusTest, TheFloorOfAnOlderVersionWasTheRecommendation) {
  EXPECT_EQ(decode_status(R"({"scaling": {"recommendedReplicas": 7}})").scaling->floor, 7);
}

TEST(StatusTest, BrokenPartsAreLeftOut) {
  EXPECT_EQ(decode_status("{"), Status{});
  const Status status = decode_status(R"({"replicas": "many", "readyReplicas": -4, "conditions": 5,
      "scaling": {"recommendedReplicas": 99999999999, "metrics": {"a": 1}, "lastDecision": {"time": "noon"},
                  "rules": [{"name": "a", "lastFired": "2026-13-01T00:00:00Z"}, 7]}})");
  EXPECT_EQ(status.replicas, 0);
  EXPECT_EQ(status.ready_replicas, 0);
  EXPECT_TRUE(status.conditions.empty());
  ASSERT_TRUE(status.scaling);
  EXPECT_EQ(status.scaling->recommended_replicas, 1'000'000);
  EXPECT_FALSE(status.scaling->last_decision);
  EXPECT_TRUE(status.scaling->last_fired.empty());
}

}  // namespace
}  // namespace mcpfleet::fleet
