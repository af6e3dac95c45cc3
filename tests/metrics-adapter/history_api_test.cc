// What is recorded of a made-up fleet, and what the API says of it.
#include "metrics-adapter/history/history_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fixture.h"
#include "metrics-adapter/authorizer.h"
#include "metrics-adapter/history/recorder.h"
#include "metrics-adapter/own_metrics.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::HasSubstr;

const std::string kOwn = "/apis/metrics.mcpfleet.dev/v1beta2/";
const std::string kX = "history/namespaces/ns/mcpservers.mcpfleet.dev/x/";

class HistoryApiTest : public testing::Test {
 protected:
  HistoryApiTest() {
    fleet_.pod("ns", "p", "x");
    fleet_.server("ns", "x");
  }
  void record() {
    fleet_.roster.touch();
    fleet_.roster.refresh();
    recorder_.record({fleet_.clock.wall(), fleet_.clock.monotonic()});
  }
  // A scrape and a recording a second, of 10 times the calls a second.
  void run(int seconds_long, double calls) {
    for (int i = 0; i < seconds_long; ++i) {
      fleet_.scraped("ns", "p", calls);
      record();
      fleet_.clock.advance(seconds(1));
    }
  }
  http::Response ask(const std::string& rest, const std::string& method = "GET") {
    return api_.answer(method, parse_target(kOwn + rest).value(), fleet_.clock.wall());
  }
  json body(const std::string& rest, const std::string& method = "GET") {
    const auto response = ask(rest, method);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
    return json::parse(response.body);
  }
  std::string error(const std::string& rest, int code, const std::string& method = "GET") {
    const auto response = ask(rest, method);
    EXPECT_EQ(response.status, code) << rest;
    const auto status = json::parse(response.body);
    EXPECT_EQ(status["kind"], "Status");
    return status["message"].get<std::string>();
  }

  MadeUpFleet fleet_;
  OwnMetrics own_;
  HistoryMetrics metrics_{own_.registry()};
  HistoryBook book_{{}, metrics_};
  Recorder recorder_{fleet_.roster, {}, true, book_};
  HistoryApi api_{book_};
};

TEST_F(HistoryApiTest, Samples) {
  run(3, 15);
  EXPECT_EQ(body(kX + "mcp_requests_per_second?window=1m"),
            json::parse(R"({"kind": "MetricHistory", "apiVersion": "metrics.mcpfleet.dev/v1beta2",
              "metric": "mcp_requests_per_second", "resolution": "raw",
              "from": "2025-12-31T23:59:03Z", "to": "2026-01-01T00:00:03Z",
              "describedObject": {"resource": "mcpservers.mcpfleet.dev", "namespace": "ns", "name": "x"},
              "series": [{"labels": {}, "samples": [
                {"timestamp": "2026-01-01T00:00:00Z", "value": "1500m"},
                {"timestamp": "2026-01-01T00:00:01Z", "value": "1500m"},
                {"timestamp": "2026-01-01T00:00:02Z", "value": "1500m"}]}]})"));
}

TEST_F(HistoryApiTest, Aggregates) {
  run(3, 10);
  run(1, 50);
  const auto found = body(kX + "mcp_requests_per_second?aggregate=count,avg,min,max,sum,last");
  EXPECT_EQ(found["series"][0]["stepSeconds"], 1);
  EXPECT_EQ(
      found["series"][0]["aggregates"],
      (json{{"count", 4}, {"avg", "2"}, {"min", "1"}, {"max", "5"}, {"sum", "8"}, {"last", "5"}}));
  fleet_.clock.advance(std::chrono::minutes(10));
  EXPECT_EQ(
      body(kX + "mcp_requests_per_second?aggregate=count,avg&window=5m")["series"][0]["aggregates"],
      (json{{"count", 0}}))
      << "nothing is not zero";
  EXPECT_TRUE(body(kX + "mcp_requests_per_second?window=1m")["series"][0]["samples"].empty());
}

TEST_F(HistoryApiTest, Minutes) {
  run(61, 10);
  const auto found = body(kX + "mcp_active_sessions?window=2h");
  EXPECT_EQ(found["resolution"], "1m");
  ASSERT_EQ(found["series"][0]["minutes"].size(), 2u);
  EXPECT_EQ(found["series"][0]["minutes"][0], (json{{"timestamp", "2026-01-01T00:00:00Z"},
                                                    {"count", 60},
                                                    {"sum", "300"},
                                                    {"avg", "5"},
                                                    {"min", "5"},
                                                    {"max", "5"},
                                                    {"last", "5"}}));
  EXPECT_EQ(found["series"][0]["minutes"][1]["count"], 1);
}

TEST_F(HistoryApiTest, AGapIsNoSample) {
  run(1, 10);
  fleet_.failing("ns", "p", "connection refused", seconds(60));
  record();
  fleet_.clock.advance(seconds(1));
  run(1, 10);
  EXPECT_EQ(body(kX + "mcp_requests_per_second")["series"][0]["samples"].size(), 2u);
}

TEST_F(HistoryApiTest, PodsAndToolsComeEveryFiveSeconds) {
  run(11, 20);
  const auto of_pod = body("history/namespaces/ns/pods/p/mcp_active_sessions");
  EXPECT_EQ(of_pod["series"][0]["samples"].size(), 3u);
  const auto of_tools =
      body(kX + "mcp_requests_per_second?metricLabelSelector=method%3Dtools/call");
  ASSERT_EQ(of_tools["series"].size(), 1u);
  EXPECT_EQ(of_tools["series"][0]["labels"], (json{{"method", "tools/call"}, {"tool", "search"}}));
  EXPECT_EQ(of_tools["series"][0]["samples"].size(), 3u);
  EXPECT_EQ(of_tools["series"][0]["samples"][0]["value"], "2");
  EXPECT_EQ(error(kX + "mcp_error_ratio?metricLabelSelector=tool%3Dnone", 404),
            "there is no history of mcpservers.mcpfleet.dev ns/x by method and tool as selected");
}

TEST_F(HistoryApiTest, Rankings) {
  fleet_.server("ns", "y");
  fleet_.pod("ns", "q", "y");
  fleet_.scraped("ns", "q", 40);
  run(6, 20);
  const std::string top = "top/namespaces/ns/mcpservers.mcpfleet.dev/mcp_requests_per_second";
  const auto found = body(top + "?window=1m&limit=5");
  EXPECT_EQ(found["kind"], "MetricRanking");
  EXPECT_EQ(found["aggregate"], "avg");
  ASSERT_EQ(found["items"].size(), 2u);
  EXPECT_EQ(found["items"][0], (json{{"name", "y"},
                                     {"labels", json::object()},
                                     {"value", "4"},
                                     {"count", 6},
                                     {"stepSeconds", 1}}));
  EXPECT_EQ(found["items"][1]["name"], "x");
  EXPECT_EQ(body(top + "?limit=1")["items"].size(), 1u);
  EXPECT_EQ(body(top + "?aggregate=count")["items"][0]["value"], 6);
  const auto tools = body(top + "?metricLabelSelector=tool");
  ASSERT_EQ(tools["items"].size(), 2u);
  EXPECT_EQ(tools["items"][0]["labels"]["tool"], "search");
  EXPECT_TRUE(body("top/namespaces/none/pods/mcp_error_ratio")["items"].empty());
}

TEST_F(HistoryApiTest, Resets) {
  run(2, 10);
  EXPECT_EQ(body(kX + "mcp_error_ratio", "DELETE")["status"], "Success");
  EXPECT_TRUE(body(kX + "mcp_error_ratio")["series"][0]["samples"].empty());
  EXPECT_FALSE(body(kX + "mcp_active_sessions")["series"][0]["samples"].empty());
  EXPECT_EQ(body("history/namespaces/ns/mcpservers.mcpfleet.dev/*/*", "DELETE")["message"],
            "forgot * of 1 mcpservers.mcpfleet.dev");
  EXPECT_EQ(error(kX + "mcp_active_sessions", 404),
            "there is no history of mcpservers.mcpfleet.dev ns/x");
  EXPECT_EQ(error(kX + "*", 404, "DELETE"), "there is no history of mcpservers.mcpfleet.dev ns/x");
}

TEST_F(HistoryApiTest, ErrorsAreStatusObjects) {
  EXPECT_THAT(error(kX + "mcp_error_ratio?window=x", 400), HasSubstr("window: "));
  EXPECT_THAT(error(kX + "nope", 404), HasSubstr("there is no history of nope"));
  EXPECT_EQ(
      api_.answer(
              "GET",
              parse_target("/apis/metrics.mcpfleet.dev/v1/history/namespaces/ns/pods/p/m").value(),
              fleet_.clock.wall())
          .status,
      404);
}

TEST_F(HistoryApiTest, AFullStoreIsToldOnceAndCounted) {
  HistoryBook small({.max_objects = 1}, metrics_);
  Recorder recorder(fleet_.roster, {}, false, small);
  fleet_.server("ns", "y");
  fleet_.pod("ns", "q", "y");
  fleet_.scraped("ns", "p", 10);
  fleet_.scraped("ns", "q", 10);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    recorder.record({fleet_.clock.wall(), fleet_.clock.monotonic()});
    fleet_.clock.advance(seconds(1));
  }
  const auto logged = testing::internal::GetCapturedStderr();
  const auto first = logged.find("the past of new objects is not kept");
  EXPECT_NE(first, logged.npos);
  EXPECT_EQ(logged.find("the past of new objects", first + 1), logged.npos) << logged;
  EXPECT_THAT(own_.exposition(), HasSubstr("mcpfleet_adapter_history_refused_total 3"));
}

TEST_F(HistoryApiTest, TheStepIsRecordedOnce) {
  fleet_.scraped("ns", "p", 10);
  record();
  record();
  fleet_.clock.advance(std::chrono::milliseconds(500));
  record();
  EXPECT_EQ(body(kX + "mcp_active_sessions?aggregate=count")["series"][0]["aggregates"]["count"],
            1);
}

TEST_F(HistoryApiTest, NothingIsRecordedBeforeAllPodsAreKnown) {
  fleet_.scraped("ns", "p", 10);
  fleet_.synced = false;
  record();
  EXPECT_EQ(ask(kX + "mcp_active_sessions").status, 404);
}

TEST(HistoryAccessTest, ThePastNeedsTheRightToTheMetric) {
  const struct {
    const char* rest;
    const char* name;
  } cases[] = {{"history/namespaces/ns/mcpservers.mcpfleet.dev/x/m?window=5m", "x"},
               {"namespaces/ns/mcpservers.mcpfleet.dev/x/m/history?window=5m", "x"},
               {"top/namespaces/ns/mcpservers.mcpfleet.dev/m?limit=3", "*"},
               {"namespaces/ns/mcpservers.mcpfleet.dev/*/m/top?limit=3", "*"}};
  for (const auto& test : cases) {
    const auto target = parse_target(kOwn + test.rest).value();
    EXPECT_TRUE(is_past(target));
    const auto access = access_of(target);
    EXPECT_EQ(access.verb, "get");
    EXPECT_EQ(access.group, "metrics.mcpfleet.dev");
    EXPECT_EQ(access.namespace_, "ns");
    EXPECT_EQ(access.resource, "mcpservers.mcpfleet.dev");
    EXPECT_EQ(access.name, test.name);
    EXPECT_EQ(access.subresource, "m");
  }
  EXPECT_FALSE(is_past(parse_target(kOwn + "namespaces/ns/pods/p/m").value()));
  EXPECT_FALSE(
      is_past(parse_target("/apis/custom.metrics.k8s.io/v1beta2/top/namespaces/n/pods/m").value()));
}

}  // namespace
}  // namespace mcpfleet::adapter
