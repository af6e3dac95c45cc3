#include "metrics-adapter/history/history_query.h"

#include <gtest/gtest.h>

namespace mcpfleet::adapter {
namespace {

using metrics::Resolution;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow{seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z

const std::string kOwn = "/apis/metrics.mcpfleet.dev/v1beta2/";
const std::string kServer = "history/namespaces/ns/mcpservers.mcpfleet.dev/x/";
const std::string kRate = kServer + "mcp_requests_per_second";
const std::string kTop = "top/namespaces/ns/mcpservers.mcpfleet.dev/mcp_requests_per_second";

Result<HistoryQuery> history(const std::string& rest) {
  const auto target = parse_target(kOwn + rest).value();
  return parse_history_query(remembered(target).value(), {}, kNow);
}

Result<HistoryQuery> top(const std::string& rest) {
  const auto target = parse_target(kOwn + rest).value();
  return parse_top_query(ranked(target).value(), {}, kNow);
}

TEST(HistoryQueryTest, RangesAndResolutions) {
  const struct {
    std::string parameters;
    Duration before;  // of the beginning
    Resolution resolution;
  } cases[] = {
      {"", minutes(5), Resolution::Raw},
      {"?window=90s", seconds(90), Resolution::Raw},
      {"?window=1h", hours(1), Resolution::Raw},
      {"?window=2h", hours(2), Resolution::Minute},
      {"?window=24h", hours(24), Resolution::Minute},
      {"?window=5m&resolution=1m", minutes(5), Resolution::Minute},
      {"?window=10m&to=2025-12-31T23:50:00Z", minutes(20), Resolution::Raw},
      {"?window=1m&timeout=5s&pretty=true", minutes(1), Resolution::Raw},
  };
  for (const auto& test : cases) {
    const auto query = history(kRate + test.parameters);
    ASSERT_TRUE(query) << test.parameters << query.error().message;
    EXPECT_EQ(kNow - query->from, test.before - Duration{1}) << test.parameters;
    EXPECT_EQ(query->resolution, test.resolution) << test.parameters;
  }
  const auto exact = history(kRate + "?from=2025-12-31T23:30:00Z&to=2025-12-31T23:40:00Z");
  ASSERT_TRUE(exact);
  EXPECT_EQ(exact->from, kNow - minutes(30));
  EXPECT_EQ(exact->to, kNow - minutes(20));
}

TEST(HistoryQueryTest, ReadsTheRest) {
  const auto query =
      history(kRate + "?aggregate=avg,max&metricLabelSelector=tool%3Dsearch").value();
  EXPECT_EQ(query.path.name, "x");
  EXPECT_EQ(query.aggregates,
            (std::vector{metrics::AggregateField::Mean, metrics::AggregateField::Max}));
  const auto selection = query.selection();
  EXPECT_EQ(selection.name, "x");
  EXPECT_TRUE(selection.only("tools/call", "search"));
  EXPECT_FALSE(selection.only("tools/call", "add"));
  const auto ranking = top(kTop + "?limit=3").value();
  EXPECT_EQ(ranking.limit, 3u);
  EXPECT_EQ(ranking.aggregates, std::vector{metrics::AggregateField::Mean});
  EXPECT_EQ(ranking.selection().name, "");
}

TEST(HistoryQueryTest, NamesTheParameterThatIsWrong) {
  const struct {
    std::string rest;
    const char* want;
  } cases[] = {
      {kRate + "?windows=5m",
       "there is no parameter 'windows' here; there are window, from, to, resolution, aggregate, "
       "metricLabelSelector"},
      {kRate + "?window=x", "window: must be a duration such as 300s, not negative"},
      {kRate + "?window=0s", "window: must be longer than 0s"},
      {kRate + "?window=1m&from=2025-12-31T23:30:00Z",
       "window: from says where it begins already; give one of them"},
      {kRate + "?window=25h", "window: minutes are kept for 86400s"},
      {kRate + "?from=2025-12-01T00:00:00Z", "from: minutes are kept for 86400s"},
      {kRate + "?from=2026-01-02T00:00:00Z", "from: must not be after to"},
      {kRate + "?resolution=5s", "resolution: must be raw or 1m"},
      {kRate + "?window=2h&resolution=raw",
       "resolution: raw samples are kept for 3600s; ask for 1m"},
      {kRate + "?window=1h&metricLabelSelector=tool%3Da",
       "resolution: raw samples are kept for 900s"},
      {kRate + "?resolution=1m&metricLabelSelector=tool%3Da",
       "resolution: of this there are no minutes; ask for raw"},
      {kRate + "?aggregate=mean",
       "aggregate: 'mean' is none; there are count, sum, avg, min, max and last"},
      {kRate + "?metricLabelSelector=colour%3Dred",
       "metricLabelSelector: there is no label 'colour'; the labels are tool and method"},
      {"history/namespaces/ns/pods/p/mcp_error_ratio?metricLabelSelector=tool%3Da",
       "metricLabelSelector: the history of a pod is not kept by method and tool"},
      {"history/namespaces/ns/pods/*/mcp_error_ratio", "a history is of one object, by its name"},
      {"history/namespaces/ns/nodes/x/mcp_error_ratio",
       "histories are of pods and mcpservers.mcpfleet.dev in a namespace"},
      {"history/namespaces/ns/pods",
       "invalid request path: must be /apis/GROUP/VERSION/namespaces/"
       "NAMESPACE/RESOURCE/NAME/METRIC"},
  };
  for (const auto& test : cases) {
    const auto query = history(test.rest);
    ASSERT_FALSE(query) << test.rest;
    EXPECT_EQ(query.error().message, test.want) << test.rest;
  }
  EXPECT_TRUE(history(kServer + "mcp_recommended_replicas")
                  .error()
                  .message.starts_with("there is no history of mcp_recommended_replicas"));
  for (const char* limit : {"0", "101", "x", "", "-1", "5x"})
    EXPECT_EQ(top(kTop + "?limit=" + limit).error().message,
              "limit: must be a number from 1 to 100");
  EXPECT_EQ(top("namespaces/ns/pods/p/mcp_error_ratio/top").error().message,
            "a ranking is of all objects: instead of a name there is *");
  EXPECT_EQ(top(kTop + "?aggregate=avg,max").error().message,
            "aggregate: a ranking is by one of them");
  EXPECT_TRUE(history(kRate + "?from=yesterday").error().message.starts_with("from: "));
}

TEST(HistoryQueryTest, TheWordMayComeLast) {
  const auto query = history("namespaces/ns/pods/p/mcp_error_ratio/history?window=1m");
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->path.name, "p");
  EXPECT_EQ(query->path.metric, "mcp_error_ratio");
  const auto ranking = top("namespaces/ns/pods/*/mcp_error_ratio/top");
  ASSERT_TRUE(ranking) << ranking.error().message;
  EXPECT_EQ(ranking->path.name, "*");
}

TEST(HistoryQueryTest, Resets) {
  const auto reset = [](const std::string& rest) {
    return parse_reset_query(remembered(parse_target(kOwn + rest).value()).value());
  };
  EXPECT_EQ(reset(kServer + "*")->metric, std::nullopt);
  EXPECT_EQ(reset(kServer + "mcp_error_ratio")->metric, metrics::Metric::ErrorRatio);
  EXPECT_EQ(reset("history/namespaces/ns/pods/*/*")->selection().name, "");
  EXPECT_EQ(reset(kServer + "*?window=5m").error().message, "there is no parameter 'window' here");
  EXPECT_FALSE(reset(kServer + "nope"));
}

}  // namespace
}  // namespace mcpfleet::adapter
