#include "operator/metric_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/scaling_loop.h"
#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ParseMetricValues, ReadsQuantitiesByName) {
  const auto values = parse_metric_values(
      R"({"items":[{"describedObject":{"name":"a"},"value":"1500m"},
                   {"describedObject":{"name":"b"},"value":"0"}]})");
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_THAT(*values, ElementsAre(Pair("a", 1.5), Pair("b", 0.0)));
  EXPECT_THAT(*parse_metric_values(R"({"items":[]})"), IsEmpty());
}

TEST(ParseMetricValues, RefusesWhatIsNoList) {
  for (const char* text : {"", "[]", "{}", R"({"items":5})", R"({"items":[5]})",
                           R"({"items":[{"describedObject":{"name":"a"}}]})",
                           R"({"items":[{"describedObject":{"name":"a"},"value":1}]})",
                           R"({"items":[{"describedObject":{"name":"a"},"value":"x"}]})"}) {
    EXPECT_FALSE(parse_metric_values(text)) << text;
  }
}

TEST(MetricReader, AsksForAllServersOfOneTool) {
  kube::FakeClient client;
  client.answer = [](const kube::FakeClient::Call&) { return R"({"items":[]})"; };
  ASSERT_TRUE(MetricReader(client).read_all("ns", "mcp_error_ratio", "a b"));
  EXPECT_EQ(client.calls()[0].path,
            "/apis/metrics.mcpfleet.dev/v1beta2/namespaces/ns/mcpservers.mcpfleet.dev/*/"
            "mcp_error_ratio?metricLabelSelector=tool%3Da%20b");
}

TEST(MetricReader, PassesTheExplanationOn) {
  kube::FakeClient client;
  client.answer = [](const kube::FakeClient::Call&) -> Result<std::string> {
    return fail(ErrorKind::NotFound, "get /apis/x: no pod of ns/s answered: timeout");
  };
  EXPECT_EQ(MetricReader(client).explain("ns", "s", "m", ""), "no pod of ns/s answered: timeout");
  client.answer = [](const kube::FakeClient::Call&) -> Result<std::string> {
    return fail(ErrorKind::NotFound, "get /apis/x: HTTP status 404");
  };
  EXPECT_THAT(MetricReader(client).explain("ns", "s", "m", ""),
              HasSubstr("metrics.mcpfleet.dev does not answer"));
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
