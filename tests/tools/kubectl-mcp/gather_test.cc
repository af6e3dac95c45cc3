#include "tools/kubectl-mcp/gather.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explanations.h"
#include "tests/kube/fake_client.h"
#include "tools/kubectl-mcp/metrics_api.h"

namespace mcpfleet::kubectl {
namespace {

using ::testing::HasSubstr;

constexpr const char* kMetrics = "/apis/metrics.mcpfleet.dev/";
constexpr const char* kValue = R"({"items": [{"describedObject": {"name": "search"},
  "timestamp": "2026-07-01T11:59:59Z", "value": "402500m"}]})";

nlohmann::json scaled() {
  return manifest(
      R"({"autoscaling": {"targets": {"requestsPerSecond": "100"}, "rules": [
        {"name": "slow", "metric": "mcp_request_duration_seconds_p95", "tool": "a b", "operator": ">",
         "threshold": "200m", "action": "ScaleUp", "amount": {"pods": 2}}]}})",
      R"({"replicas": 3})");
}

class GatherTest : public testing::Test {
 protected:
  GatherTest() {
    client_.answer = [this](const kube::FakeClient::Call& call) -> Result<std::string> {
      for (const auto& [part, answer] : answers_) {
        if (call.path.find(part) != std::string::npos) return answer;
      }
      return fail(ErrorKind::NotFound, "get " + call.path + ": nothing here");
    };
    answers_["/mcpservers/search"] = scaled().dump();
  }

  Explanation gathered() {
    auto result = gather(client_, "team", "search", clock_);
    EXPECT_TRUE(result) << result.error().message;
    return result.value_or(Explanation{});
  }

  kube::FakeClient client_;
  std::map<std::string, Result<std::string>> answers_;  // by a part of the path
  ManualClock clock_{noon()};
};

TEST_F(GatherTest, ReadsTheServerItsValuesAndItsHpa) {
  answers_[kMetrics] = kValue;
  answers_["/horizontalpodautoscalers/search"] = R"({"metadata": {"name": "search"}, "status":
    {"currentReplicas": 3, "desiredReplicas": 4, "lastScaleTime": "2026-07-01T11:00:00Z"}})";
  answers_["/events?"] = R"({"items": [{"reason": "SuccessfulRescale", "message": "New size: 4",
    "lastTimestamp": "2026-07-01T11:00:00Z"}]})";
  const auto found = gathered();
  EXPECT_EQ(found.server.status.replicas, 3);
  EXPECT_EQ(found.now, noon());
  const auto& rate = found.live.at({"mcp_requests_per_second", ""});
  EXPECT_DOUBLE_EQ(*rate.value, 402.5);
  EXPECT_EQ(rate.time, noon() - std::chrono::seconds(1));
  ASSERT_TRUE(found.hpa);
  EXPECT_EQ(found.hpa->hpa.desired_replicas, 4);
  EXPECT_EQ(found.hpa->last_scaled, noon() - std::chrono::hours(1));
  EXPECT_EQ(found.hpa->last_event->message, "New size: 4");
  const auto calls = client_.calls();
  EXPECT_TRUE(std::ranges::any_of(calls, [](const auto& call) {
    return call.path ==
           "/apis/metrics.mcpfleet.dev/v1beta2/namespaces/team/mcpservers.mcpfleet.dev/search/"
           "mcp_request_duration_seconds_p95?metricLabelSelector=tool%3Da%20b";
  }));
}

TEST_F(GatherTest, TheMetricsApisOwnReasonIsKept) {
  answers_[kMetrics] = fail(ErrorKind::NotFound,
                            "get /apis/x: the server could not find the metric "
                            "mcp_requests_per_second for mcpservers.mcpfleet.dev team/search with "
                            "selector tool=a: no scrape of pod team/p has succeeded for 12s: "
                            "connection refused");
  EXPECT_EQ(gathered().live.at({"mcp_requests_per_second", ""}).why,
            "no scrape of pod team/p has succeeded for 12s: connection refused");
  answers_[kMetrics] = fail(ErrorKind::Forbidden, "get /apis/x: you may not");
  EXPECT_EQ(gathered().live.at({"mcp_requests_per_second", ""}).why, "you may not");
}

TEST_F(GatherTest, AMetricsApiThatIsAwayIsSaid) {
  answers_[kMetrics] = fail(ErrorKind::Unavailable, "get /apis/x: HTTP status 503");
  EXPECT_THAT(gathered().live.at({"mcp_requests_per_second", ""}).why,
              HasSubstr("metrics.mcpfleet.dev does not answer (HTTP status 503)"));
}

TEST_F(GatherTest, AnHpaThatCannotBeReadIsSaid) {
  EXPECT_EQ(gathered().hpa_problem, "It does not exist.");
  answers_["/horizontalpodautoscalers/search"] = fail(ErrorKind::Forbidden, "get /apis/x: no");
  EXPECT_EQ(gathered().hpa_problem, "It cannot be read: no");
}

TEST_F(GatherTest, WithoutAutoscalingNothingElseIsAsked) {
  answers_["/mcpservers/search"] = manifest("{}", "{}").dump();
  EXPECT_TRUE(gathered().live.empty());
  EXPECT_EQ(client_.calls().size(), 1U);
}

TEST_F(GatherTest, ASpecThatCannotBeReadStillHasAStatus) {
  auto broken = scaled();
  broken["spec"]["config"]["port"] = "eighty";
  answers_["/mcpservers/search"] = broken.dump();
  const auto found = gathered();
  EXPECT_THAT(found.invalid, HasSubstr("spec.config.port"));
  EXPECT_EQ(found.server.status.replicas, 3);
}

TEST_F(GatherTest, AServerThatIsNotThereIsTheError) {
  answers_["/mcpservers/search"] = fail(ErrorKind::NotFound, "get /apis/x: not found");
  const auto found = gather(client_, "team", "search", clock_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::NotFound);
}

TEST(LastRescale, IsTheNewest) {
  const auto told = last_rescale(R"({"items": [
    {"reason": "SuccessfulRescale", "message": "first", "lastTimestamp": "2026-07-01T10:00:00Z"},
    {"reason": "SuccessfulRescale", "message": "second", "lastTimestamp": null,
     "eventTime": "2026-07-01T11:00:00.123456Z"},
    {"reason": "FailedGetPodsMetric", "message": "other", "lastTimestamp": "2026-07-01T11:30:00Z"},
    {"reason": "SuccessfulRescale", "message": "without a time"}]})");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->message, "second");
  EXPECT_FALSE(last_rescale(R"({"items": []})"));
  EXPECT_FALSE(last_rescale("nonsense"));
}

TEST(ParseValues, RefusesWhatIsNone) {
  EXPECT_TRUE(parse_values(R"({"items": []})")->empty());
  for (const char* text : {"nonsense", "{}", R"({"items": [{}]})",
                           R"({"items": [{"describedObject": {"name": "x"}, "value": "1"}]})"}) {
    const auto values = parse_values(text);
    ASSERT_FALSE(values) << text;
    EXPECT_EQ(values.error().kind, ErrorKind::Malformed);
  }
}

}  // namespace
}  // namespace mcpfleet::kubectl
