#include "operator/metric_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/gatherer.h"
#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const WallTime kTime{std::chrono::seconds(1'767'225'600)};

TEST(ParseMetricValues, ReadsQuantitiesByName) {
  const auto values = parse_metric_values(
      R"({"items":[{"describedObject":{"name":"a"},"value":"1500m","timestamp":"2026-01-01T00:00:00Z","windowSeconds":30},
                   {"describedObject":{"name":"b"},"value":"0","timestamp":"2026-01-01T00:00:01Z"}]})");
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_THAT(*values,
              ElementsAre(Pair("a", MetricValue{1.5, kTime, std::chrono::seconds(30)}),
                          Pair("b", MetricValue{0.0, kTime + std::chrono::seconds(1), {}})));
  EXPECT_THAT(*parse_metric_values(R"({"items":[]})"), IsEmpty());
}

TEST(ParseMetricValues, RefusesWhatIsNoList) {
  for (const char* text :
       {"", "[]", "{}", R"({"items":5})", R"({"items":[5]})",
        R"({"items":[{"describedObject":{"name":"a"}}]})",
        R"({"items":[{"describedObject":{"name":"a"},"value":1}]})",
        R"({"items":[{"describedObject":{"name":"a"},"value":"1"}]})",
        R"({"items":[{"describedObject":{"name":"a"},"value":"1","timestamp":5}]})",
        R"({"items":[{"describedObject":{"name":"a"},"value":"x"}]})"}) {
    EXPECT_FALSE(parse_metric_values(text)) << text;
  }
}

TEST(MetricReader, AsksForAllServersOfOneTool) {
  kube::FakeClient client;
  client.answer = [](const kube::FakeClient::Call&) { return R"({"items":[]})"; };
  ASSERT_TRUE(
      MetricReader(client).read_all({"ns", "mcp_error_ratio", "a b", std::chrono::seconds(6)}));
  EXPECT_EQ(client.calls()[0].path,
            "/apis/metrics.mcpfleet.dev/v1beta2/namespaces/ns/mcpservers.mcpfleet.dev/*/"
            "mcp_error_ratio?metricLabelSelector=tool%3Da%20b&window=6s");
}

TEST(MetricReader, PassesTheExplanationOn) {
  kube::FakeClient client;
  client.answer = [](const kube::FakeClient::Call&) -> Result<std::string> {
    return fail(ErrorKind::NotFound, "get /apis/x: no pod of ns/s answered: timeout");
  };
  EXPECT_EQ(MetricReader(client).explain("s", {"ns", "m", "", {}}),
            "no pod of ns/s answered: timeout");
  client.answer = [](const kube::FakeClient::Call&) -> Result<std::string> {
    return fail(ErrorKind::NotFound, "get /apis/x: HTTP status 404");
  };
  EXPECT_THAT(MetricReader(client).explain("s", {"ns", "m", "", {}}),
              HasSubstr("metrics.mcpfleet.dev does not answer"));
}

TEST(MetricReader, ReadsThePastByMinutes) {
  kube::FakeClient client;
  client.answer = [](const kube::FakeClient::Call&) {
    return R"({"kind": "MetricHistory", "series": [{"labels": {}, "minutes": [
        {"timestamp": "2026-01-01T00:00:00Z", "count": 60, "avg": "1500m", "max": "3"}]}]})";
  };
  const auto past = MetricReader(client).past("s", {"ns", "mcp_requests_in_flight", "", {}});
  ASSERT_TRUE(past) << past.error().message;
  EXPECT_THAT(*past, ElementsAre(PastMinute{kTime, 1.5}));
  EXPECT_EQ(client.calls()[0].path,
            "/apis/metrics.mcpfleet.dev/v1beta2/namespaces/ns/mcpservers.mcpfleet.dev/s/"
            "mcp_requests_in_flight/history?resolution=1m&window=24h");
  for (const char* text : {"", "[]", "{}", R"({"series": []})", R"({"series": [{"minutes": [5]}]})",
                           R"({"series": [{"minutes": [{"timestamp": "2026-01-01T00:00:00Z"}]}]})",
                           R"({"series": [{"minutes": [{"timestamp": 5, "avg": "1"}]}]})"})
    EXPECT_FALSE(parse_past(text)) << text;
}

TEST(AbsentSample, IdleIsNotMissing) {
  using Kind = scaling::Sample::Kind;
  const struct {
    const char* metric;
    bool counted;
    Kind want;
  } kCases[] = {
      {"mcp_request_duration_seconds_p95", true, Kind::Idle},
      {"mcp_error_ratio", true, Kind::Idle},
      {"mcp_request_duration_seconds_p95", false, Kind::Missing},
      {"mcp_requests_per_second", false, Kind::Missing},
      {"mcp_active_sessions", true, Kind::Missing},
  };
  for (const auto& c : kCases) {
    const auto sample = absent_sample(c.metric, c.counted, "why");
    EXPECT_EQ(sample.kind, c.want) << c.metric;
    EXPECT_EQ(sample.why, c.want == Kind::Missing ? "why" : "") << c.metric;
  }
}

}  // namespace
}  // namespace mcpfleet::op
