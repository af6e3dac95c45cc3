// Paths to bodies, over a made-up fleet.
#include "metrics-adapter/metrics_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fixture.h"
#include "metrics-adapter/discovery.h"
#include "metrics-adapter/openapi.h"
#include "metrics-adapter/probes.h"
#include "metrics-adapter/status_body.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::HasSubstr;

class MetricsApiTest : public testing::Test {
 protected:
  http::Response get(const std::string& rest, const std::string& group = "custom.metrics.k8s.io",
                     const std::string& version = "v1beta2") {
    fleet_.roster.touch();
    fleet_.roster.refresh();
    const auto target =
        parse_target("/apis/" + group + "/" + version + "/namespaces/ns/" + rest).value();
    return answer_metric_request(target, {*source_},
                                 {fleet_.clock.wall(), fleet_.clock.monotonic()});
  }
  json body(const std::string& rest) {
    const auto response = get(rest);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
    return json::parse(response.body);
  }
  std::string error(const std::string& rest, int code = 404) {
    const auto response = get(rest);
    const auto status = json::parse(response.body);
    EXPECT_EQ(response.status, code) << rest;
    EXPECT_EQ(status["kind"], "Status");
    EXPECT_EQ(status["code"], code);
    EXPECT_FALSE(response.headers.get("Retry-After"));
    return status["message"].get<std::string>();
  }

  // Of our own group, with the whole path below its version.
  http::Response get_own(const std::string& rest) {
    fleet_.roster.touch();
    fleet_.roster.refresh();
    const auto target = parse_target("/apis/metrics.mcpfleet.dev/v1beta2/" + rest).value();
    return answer_metric_request(target, {*source_},
                                 {fleet_.clock.wall(), fleet_.clock.monotonic()});
  }
  json body_of_own(const std::string& rest) {
    const auto response = get_own(rest);
    EXPECT_EQ(response.status, 200) << rest << response.body;
    return json::parse(response.body);
  }
  std::string error_of_own(const std::string& rest, int code = 404) {
    const auto response = get_own(rest);
    EXPECT_EQ(response.status, code) << rest << response.body;
    return json::parse(response.body)["message"].get<std::string>();
  }

  MadeUpFleet fleet_;
  Demand demand_;
  std::optional<MetricSource> source_{std::in_place, fleet_.roster, demand_, SourceTerms{}};
};

TEST_F(MetricsApiTest, TheExactBody) {
  fleet_.pod("ns", "p", "x");
  fleet_.server("ns", "x");
  fleet_.scraped("ns", "p", 15);
  EXPECT_EQ(get("pods/%2A/mcp_requests_per_second").body,
            R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2",)"
            R"("metadata":{},"items":[{"describedObject":{"kind":"Pod","namespace":"ns",)"
            R"("name":"p","apiVersion":"/v1"},"metric":{"name":"mcp_requests_per_second",)"
            R"("selector":null},"timestamp":"2026-01-01T00:00:00Z","windowSeconds":10,)"
            R"("value":"1500m"}]})"
            "\n");
  EXPECT_EQ(get("mcpservers.mcpfleet.dev/x/mcp_requests_in_flight?metricLabelSelector=",
                "metrics.mcpfleet.dev")
                .body,
            R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2",)"
            R"("metadata":{},"items":[{"describedObject":{"kind":"MCPServer","namespace":"ns",)"
            R"("name":"x","apiVersion":"mcpfleet.dev/v1alpha1"},"metric":{)"
            R"("name":"mcp_requests_in_flight","selector":null},)"
            R"("timestamp":"2026-01-01T00:00:00Z","value":"2"}]})"
            "\n");
}

TEST_F(MetricsApiTest, TheExactBodyOfTheOlderVersion) {
  fleet_.pod("ns", "p", "x");
  fleet_.scraped("ns", "p", 15);
  EXPECT_EQ(get("pods/*/mcp_requests_per_second", "custom.metrics.k8s.io", "v1beta1").body,
            R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta1",)"
            R"("metadata":{},"items":[{"describedObject":{"kind":"Pod","namespace":"ns",)"
            R"("name":"p","apiVersion":"/v1"},"metricName":"mcp_requests_per_second",)"
            R"("timestamp":"2026-01-01T00:00:00Z","window":10,"value":"1500m",)"
            R"("selector":null}]})"
            "\n");
  EXPECT_EQ(get("pods/*/mcp_requests_per_second", "metrics.mcpfleet.dev", "v1beta1").status, 404);
}

TEST_F(MetricsApiTest, AMetricOfAnyNameOnceItsSeriesAreThere) {
  auto& pod = fleet_.pod("ns", "p", "");
  pod.opted_in = true;
  pod.labels = {{"app", "worker"}};
  fleet_.scraped("ns", "p", 0);
  EXPECT_THAT(
      error("pods/*/depth?labelSelector=app%3Dworker"),
      AllOf(HasSubstr("pod ns/p exposes none of depth"),
            HasSubstr("kept only while somebody asks for them, which is so since just now")));
  ASSERT_NE(demand_.wanted("ns"), nullptr);
  EXPECT_THAT(error("pods/*/depth"), Not(HasSubstr("just now")));
  fleet_.exposes("ns", "p", "depth{queue=\"a\"} 3\ndepth{queue=\"b\"} 4\n", *demand_.wanted("ns"));
  const auto answer = body("pods/*/depth?labelSelector=app%3Dworker");
  EXPECT_EQ(answer["items"][0]["describedObject"]["name"], "p");
  EXPECT_EQ(answer["items"][0]["value"], "7");
  EXPECT_FALSE(answer["items"][0].contains("windowSeconds"));
  EXPECT_EQ(body("pods/p/depth?metricLabelSelector=queue%3Db")["items"][0]["value"], "4");
  EXPECT_THAT(error("pods/p/depth?metricLabelSelector=queue%3Dc"),
              HasSubstr("pod ns/p exposes no series of depth with queue=c"));
  EXPECT_THAT(error("pods/*/a-b"), HasSubstr("'a-b' is no metric's name"));
  EXPECT_THAT(error("mcpservers.mcpfleet.dev/x/depth"),
              HasSubstr("the metrics of mcpservers.mcpfleet.dev are mcp_requests_per_second"));
}

TEST_F(MetricsApiTest, AForeignPodHasNoMetricsOfAnMcpServer) {
  fleet_.pod("ns", "p", "").opted_in = true;
  fleet_.exposes("ns", "p", "", {});
  EXPECT_THAT(error("pods/p/mcp_requests_per_second"),
              HasSubstr("pod ns/p exposes no metric of an MCP server (mcp_…)"));
}

TEST_F(MetricsApiTest, OfANamespace) {
  for (const char* name : {"x", "y"}) fleet_.server("ns", name);
  fleet_.pod("ns", "p", "x");
  fleet_.pod("ns", "q", "y");
  fleet_.scraped("ns", "p", 15);
  fleet_.scraped("ns", "q", 30);
  EXPECT_EQ(get("metrics/mcp_requests_per_second").body,
            R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2",)"
            R"("metadata":{},"items":[{"describedObject":{"kind":"Namespace",)"
            R"("name":"ns","apiVersion":"/v1"},"metric":{"name":"mcp_requests_per_second",)"
            R"("selector":null},"timestamp":"2026-01-01T00:00:00Z","windowSeconds":10,)"
            R"("value":"4500m"}]})"
            "\n");
  EXPECT_THAT(error("metrics/mcp_recommended_replicas"),
              HasSubstr("the metrics of namespaces are"));
  fleet_.failing("ns", "q", "connection refused", seconds(20));
  EXPECT_THAT(error("metrics/mcp_requests_per_second"), HasSubstr("pod ns/q"));
}

TEST_F(MetricsApiTest, HoldsWhatItWasToldToHold) {
  source_.emplace(fleet_.roster, demand_, SourceTerms{{}, {{"mcp_active_sessions", seconds(60)}}});
  fleet_.pod("ns", "p", "x");
  fleet_.scraped("ns", "p", 15, 0.1, seconds(50));
  const auto held = body("pods/p/mcp_active_sessions");
  EXPECT_EQ(held["items"][0]["value"], "5");
  EXPECT_EQ(held["items"][0]["timestamp"], "2025-12-31T23:59:10Z") << "its true time";
  EXPECT_THAT(error("pods/p/mcp_requests_in_flight"), HasSubstr("has succeeded for 50s"));
  fleet_.scraped("ns", "p", 15, 0.1, seconds(61));
  EXPECT_THAT(error("pods/p/mcp_active_sessions"), HasSubstr("has succeeded for 61s"));
}

TEST_F(MetricsApiTest, AQuantileNeedsSamples) {
  fleet_.pod("ns", "p", "x");
  fleet_.scraped("ns", "p", 4);
  EXPECT_THAT(error("pods/p/mcp_request_duration_seconds_p95"),
              HasSubstr("only 4 requests in the last 30s, and p95 needs 5"));
  EXPECT_EQ(get("pods/p/mcp_request_duration_seconds_avg").status, 200);
  fleet_.scraped("ns", "p", 5);
  EXPECT_EQ(get("pods/p/mcp_request_duration_seconds_p95").status, 200);
}

TEST_F(MetricsApiTest, ExternalMetricsByTheNameOfTheServer) {
  for (const char* name : {"x", "y", "none"}) fleet_.server("ns", name);
  fleet_.pod("ns", "p", "x");
  fleet_.pod("ns", "q", "y");
  fleet_.scraped("ns", "p", 15);
  fleet_.scraped("ns", "q", 30);
  const auto external = [this](const std::string& rest) {
    return get(rest, "external.metrics.k8s.io", "v1beta1");
  };
  EXPECT_EQ(external("mcp_requests_per_second?labelSelector=server%3Dx").body,
            R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1",)"
            R"("metadata":{},"items":[{"metricName":"mcp_requests_per_second",)"
            R"("metricLabels":{"server":"x"},"timestamp":"2026-01-01T00:00:00Z","window":10,)"
            R"("value":"1500m"}]})"
            "\n");
  const auto both = json::parse(external("mcp_requests_per_second").body);
  ASSERT_EQ(both["items"].size(), 2u) << "a server without pods has no value";
  EXPECT_EQ(both["items"][1]["metricLabels"]["server"], "y");
  const auto message = [&](const std::string& rest, int code) {
    const auto response = external(rest);
    EXPECT_EQ(response.status, code) << rest;
    return json::parse(response.body)["message"].get<std::string>();
  };
  EXPECT_THAT(message("mcp_requests_per_second?labelSelector=server%3Dnone", 404),
              HasSubstr("the server could not find the metric mcp_requests_per_second"));
  EXPECT_THAT(message("mcp_requests_per_second?labelSelector=server%3Dother", 404),
              HasSubstr("no MCPServer is selected in namespace ns"));
  EXPECT_THAT(message("nope", 404), HasSubstr("the metrics are mcp_requests_per_second"));
  EXPECT_THAT(message("mcp_requests_per_second?labelSelector=pod%3Dx", 400),
              HasSubstr("there is no label 'pod'; the labels are server, tool and method"));
  EXPECT_EQ(external("mcp_requests_per_second/more").status, 400);
}

TEST_F(MetricsApiTest, ExplainsAnAnswer) {
  fleet_.server("ns", "x");
  fleet_.pod("ns", "p", "x");
  fleet_.pod("ns", "q", "x");
  fleet_.scraped("ns", "p", 15);
  fleet_.roster.touch();
  const auto explain = [this](const std::string& rest) {
    fleet_.roster.refresh();
    const auto target =
        parse_target("/apis/metrics.mcpfleet.dev/v1beta2/explain/namespaces/ns/" + rest).value();
    return answer_metric_request(target, {*source_},
                                 {fleet_.clock.wall(), fleet_.clock.monotonic()});
  };
  const auto response = explain("mcpservers.mcpfleet.dev/x/mcp_requests_per_second");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = json::parse(response.body);
  EXPECT_EQ(body["kind"], "MetricExplanation");
  EXPECT_EQ(body["describedObject"]["name"], "x");
  EXPECT_THAT(body["formula"].get<std::string>(), HasSubstr("mcp_requests_total"));
  EXPECT_EQ(body["windowSeconds"], 30);
  ASSERT_EQ(body["pods"].size(), 2u);
  EXPECT_EQ(body["pods"][0]["name"], "p");
  EXPECT_EQ(body["pods"][0]["value"], "1500m");
  EXPECT_EQ(body["pods"][0]["requests"], 15);
  EXPECT_EQ(body["pods"][0]["coveredSeconds"], 10);
  EXPECT_THAT(body["pods"][1]["reason"].get<std::string>(), HasSubstr("not scraped yet"));
  const auto none = json::parse(explain("mcpservers.mcpfleet.dev/none/mcp_error_ratio").body);
  EXPECT_THAT(none["reason"].get<std::string>(), HasSubstr("there is no such MCPServer"));
  EXPECT_EQ(explain("pods/*/mcp_error_ratio").status, 400);
  EXPECT_EQ(get("explain/p/mcp_error_ratio").status, 404);
}

TEST_F(MetricsApiTest, MarksPodsThatStartEndOrAreOfAnOldRollout) {
  fleet_.server("ns", "x");
  auto& old = fleet_.pod("ns", "old", "x");
  old.labels.add("pod-template-hash", "v1");
  auto& fresh = fleet_.pod("ns", "new", "x");
  fresh.labels.add("pod-template-hash", "v2");
  fresh.created = old.created + seconds(60);
  auto& starting = fleet_.pod("ns", "starting", "x");
  starting.labels.add("pod-template-hash", "v2");
  starting.created = fresh.created;
  starting.ready = starting.was_ready = false;
  auto& unready = fleet_.pod("ns", "unready", "x");
  unready.ready = false;
  auto& ending = fleet_.pod("ns", "ending", "x");
  ending.deleting = true;
  for (const char* name : {"old", "new", "unready", "ending"}) fleet_.scraped("ns", name, 10);
  const auto explained =
      body_of_own("explain/namespaces/ns/mcpservers.mcpfleet.dev/x/mcp_requests_per_second");
  EXPECT_EQ(explained["value"], "4") << "all that answer are counted";
  std::map<std::string, std::string> marks;
  for (const auto& pod : explained["pods"])
    marks[pod["name"].get<std::string>()] = pod["state"].get<std::string>() +
                                            (pod["outdated"].get<bool>() ? " outdated" : "") +
                                            (pod["counted"].get<bool>() ? " counted" : "");
  EXPECT_EQ(marks, (std::map<std::string, std::string>{{"ending", "terminating counted"},
                                                       {"new", "ready counted"},
                                                       {"old", "ready outdated counted"},
                                                       {"starting", "starting"},
                                                       {"unready", "unready counted"}}));
  const std::pair<const char*, const char*> counts[] = {{"mcp_pods_ready", "2"},
                                                        {"mcp_pods_starting", "1"},
                                                        {"mcp_pods_unready", "1"},
                                                        {"mcp_pods_terminating", "1"},
                                                        {"mcp_pods_outdated", "1"}};
  for (const auto& [metric, want] : counts) {
    const auto path = std::string("namespaces/ns/mcpservers.mcpfleet.dev/");
    const auto list = body_of_own(path + "*/" + metric);
    ASSERT_EQ(list["items"].size(), 1u) << metric;
    EXPECT_EQ(list["items"][0]["value"], want) << metric;
    const auto why = body_of_own("explain/" + path + "x/" + metric);
    EXPECT_EQ(why["value"], want) << metric;
    EXPECT_EQ(why["pods"].size(), 5u) << metric;
    EXPECT_EQ(get("mcpservers.mcpfleet.dev/x/" + std::string(metric)).status, 404)
        << "they are for our own recommenders";
  }
}

TEST_F(MetricsApiTest, CountsThePodsOfAServerThatHasNone) {
  fleet_.server("ns", "x");
  const std::string path = "namespaces/ns/mcpservers.mcpfleet.dev/x/mcp_pods_ready";
  EXPECT_EQ(body_of_own(path)["items"][0]["value"], "0");
  EXPECT_EQ(error_of_own(path + "?metricLabelSelector=tool%3Da", 400),
            "mcp_pods_ready has no labels to select by");
  EXPECT_THAT(error_of_own("namespaces/ns/pods/*/mcp_pods_ready"),
              HasSubstr("no pod that is scraped"));
}

TEST_F(MetricsApiTest, AnswersOverAShorterWindow) {
  fleet_.server("ns", "x");
  fleet_.pod("ns", "p", "x");
  // 10 calls a second for 20 seconds, then 40 for 4, of 1 s each.
  fleet_.counted("ns", "p", 25, [](int i) { return i <= 20 ? 10 * i : 200 + 40 * (i - 20); });
  const std::string server = "namespaces/ns/mcpservers.mcpfleet.dev/";
  const auto value = [&](const std::string& rest) {
    const auto item = body_of_own(server + rest)["items"][0];
    return std::pair(item["value"].get<std::string>(), item["windowSeconds"].get<int>());
  };
  EXPECT_EQ(value("*/mcp_requests_per_second"), std::pair(std::string("15"), 24));
  EXPECT_EQ(value("*/mcp_requests_per_second?window=2s"), std::pair(std::string("40"), 2));
  EXPECT_EQ(value("*/mcp_requests_per_second?window=8s"), std::pair(std::string("25"), 8));
  EXPECT_EQ(value("x/mcp_requests_per_second?window=30s"), std::pair(std::string("15"), 24));
  EXPECT_EQ(value("x/mcp_error_ratio?window=4s").second, 4);
  EXPECT_EQ(value("x/mcp_request_duration_seconds_p95?window=4s").second, 4);
  EXPECT_EQ(value("x/mcp_request_duration_seconds_avg?window=4s").second, 4);
  const auto gauge = body_of_own(server + "x/mcp_requests_in_flight?window=4s")["items"][0];
  EXPECT_FALSE(gauge.contains("windowSeconds")) << "it is of the last scrape";
  EXPECT_EQ(
      body_of_own("namespaces/ns/pods/*/mcp_requests_per_second?window=2s")["items"][0]["value"],
      "40");
  EXPECT_EQ(
      body_of_own("namespaces/ns/metrics/mcp_requests_per_second?window=2s")["items"][0]["value"],
      "40");
  const auto explained = body_of_own("explain/" + server + "x/mcp_requests_per_second?window=2s");
  EXPECT_EQ(explained["windowSeconds"], 2);
  EXPECT_EQ(explained["value"], "40");
  EXPECT_EQ(explained["pods"][0]["requests"], 80);
}

TEST_F(MetricsApiTest, AWindowThatCannotBeIsAnErrorThatNamesIt) {
  fleet_.server("ns", "x");
  fleet_.pod("ns", "p", "x");
  const std::string metric = "namespaces/ns/mcpservers.mcpfleet.dev/*/mcp_requests_per_second";
  const std::string range = "window: must be from 2s to the adapter's own, 30s, not ";
  EXPECT_EQ(error_of_own(metric + "?window=1s", 400), range + "1s");
  EXPECT_EQ(error_of_own(metric + "?window=31s", 400), range + "31s");
  EXPECT_THAT(error_of_own(metric + "?window=soon", 400), testing::StartsWith("window: "));
  EXPECT_THAT(error_of_own(metric + "?window=-5s", 400), testing::StartsWith("window: "));
  EXPECT_EQ(error_of_own("namespaces/ns/pods/*/depth?window=6s", 400),
            "window: only the metrics of MCP servers have another than the adapter's own, which "
            "depth is none of");
  EXPECT_EQ(error("pods/*/mcp_requests_per_second?window=6s", 400),
            "window: may be asked for of metrics.mcpfleet.dev only; other groups have the "
            "adapter's own");
}

TEST_F(MetricsApiTest, ExplainsAnExternalMetric) {
  for (const char* name : {"x", "y", "none"}) fleet_.server("ns", name);
  fleet_.pod("ns", "p", "x");
  fleet_.pod("ns", "q", "y");
  fleet_.scraped("ns", "p", 15);
  fleet_.scraped("ns", "q", 30, 0.1, seconds(3));
  const auto all = body_of_own("explain/namespaces/ns/mcp_requests_per_second");
  EXPECT_EQ(all["kind"], "MetricExplanation");
  EXPECT_EQ(all["namespace"], "ns");
  EXPECT_EQ(all["sum"], "4500m") << "what an HPA makes of them";
  EXPECT_EQ(all["windowSeconds"], 30);
  EXPECT_THAT(all["formula"].get<std::string>(), HasSubstr("mcp_requests_total"));
  ASSERT_EQ(all["items"].size(), 3u);
  EXPECT_EQ(all["items"][0]["metricLabels"]["server"], "none");
  EXPECT_THAT(all["items"][0]["reason"].get<std::string>(), HasSubstr("has no pods"));
  EXPECT_EQ(all["items"][1]["value"], "1500m");
  EXPECT_EQ(all["items"][2]["ageSeconds"], 3);
  EXPECT_EQ(all["items"][2]["pods"][0]["name"], "q");
  EXPECT_EQ(all["items"][2]["pods"][0]["counted"], true);
  const auto one =
      body_of_own("namespaces/ns/mcp_requests_per_second/explain?labelSelector=server%3Dx");
  EXPECT_EQ(one["labelSelector"], "server=x");
  EXPECT_EQ(one["sum"], "1500m");
  ASSERT_EQ(one["items"].size(), 1u);
  const auto none = body_of_own("explain/namespaces/ns/nope");
  EXPECT_THAT(none["reason"].get<std::string>(),
              HasSubstr("the metrics are mcp_requests_per_second"));
  EXPECT_EQ(none["items"], json::array());
  EXPECT_THAT(error_of_own("explain/namespaces/ns/mcp_error_ratio?window=6s", 400),
              testing::StartsWith("window: "));
}

TEST_F(MetricsApiTest, SelectsPods) {
  fleet_.pod("ns", "a", "x").labels.add("tier", "one");
  fleet_.pod("ns", "b", "x").labels.add("tier", "two");
  fleet_.pod("ns", "c", "y");
  fleet_.pod("ns", "done", "x").finished = true;
  fleet_.pod("other", "d", "x");
  for (const char* name : {"a", "b", "c", "done"}) fleet_.scraped("ns", name, 10);
  fleet_.scraped("other", "d", 10);
  const struct {
    const char* rest;
    std::vector<std::string> want;
  } cases[] = {
      {"pods/*/mcp_active_sessions", {"a", "b", "c"}},
      {"pods/*/mcp_active_sessions?labelSelector=mcpfleet.dev%2Fserver%3Dx", {"a", "b"}},
      {"pods/*/mcp_active_sessions?labelSelector=tier+in+(two,three)", {"b"}},
      {"pods/*/mcp_active_sessions?labelSelector=%21tier", {"c"}},
      {"pods/a/mcp_active_sessions", {"a"}},
  };
  for (const auto& test : cases) {
    const auto list = body(test.rest);
    std::vector<std::string> names;
    for (const auto& item : list["items"])
      names.push_back(item["describedObject"]["name"].get<std::string>());
    EXPECT_EQ(names, test.want) << test.rest;
  }
}

TEST_F(MetricsApiTest, SelectsTools) {
  fleet_.pod("ns", "p", "x");
  fleet_.server("ns", "x");
  fleet_.scraped("ns", "p", 20);
  const std::string rate = "mcpservers.mcpfleet.dev/x/mcp_requests_per_second?metricLabelSelector=";
  EXPECT_EQ(body(rate + "tool%3Dsearch")["items"][0]["value"], "2");
  EXPECT_EQ(body(rate + "tool%3Dsearch")["items"][0]["metric"]["selector"],
            (json{{"matchLabels", {{"tool", "search"}}}}));
  EXPECT_EQ(body(rate + "tool+in+(search,add)")["items"][0]["value"], "2");
  EXPECT_EQ(body(rate + "tool%3Dadd")["items"][0]["value"], "0");
  EXPECT_EQ(body(rate + "method%3Dtools/call,tool%21%3Dadd")["items"][0]["value"], "2");
  EXPECT_EQ(error(rate + "colour%3Dred", 400),
            "metricLabelSelector: there is no label 'colour'; the labels are tool and method");
}

TEST_F(MetricsApiTest, ErrorsExplain) {
  fleet_.pod("ns", "dead", "x");
  fleet_.pod("ns", "idle", "y");
  fleet_.server("ns", "x");
  fleet_.server("ns", "y");
  fleet_.server("ns", "empty");
  fleet_.failing("ns", "dead", "connection refused", seconds(14));
  fleet_.scraped("ns", "idle", 0);
  const std::string lost = "the server could not find the metric ";
  const struct {
    const char* rest;
    int code;
    std::string want;
  } cases[] = {
      {"mcpservers.mcpfleet.dev/x/mcp_requests_per_second", 404,
       lost + "mcp_requests_per_second for mcpservers.mcpfleet.dev ns/x: no scrape of pod ns/dead "
              "has succeeded for 14s: connection refused"},
      {"pods/dead/mcp_active_sessions", 404,
       lost + "mcp_active_sessions for pods ns/dead: no scrape of pod ns/dead has succeeded for "
              "14s: connection refused"},
      {"pods/*/mcp_active_sessions?labelSelector=mcpfleet.dev/server%3Dx", 404,
       lost + "mcp_active_sessions for pods: no scrape of pod ns/dead has succeeded for 14s: "
              "connection refused"},
      {"mcpservers.mcpfleet.dev/y/mcp_request_duration_seconds_p95?metricLabelSelector=tool%3Dq",
       404,
       lost + "mcp_request_duration_seconds_p95 for mcpservers.mcpfleet.dev ns/y with selector "
              "tool=q: no requests with tool=q in the last 30s, so there is no p95"},
      {"mcpservers.mcpfleet.dev/empty/mcp_active_sessions", 404,
       lost + "mcp_active_sessions for mcpservers.mcpfleet.dev ns/empty: server ns/empty has no "
              "pods"},
      {"mcpservers.mcpfleet.dev/none/mcp_active_sessions", 404,
       lost +
           "mcp_active_sessions for mcpservers.mcpfleet.dev ns/none: there is no such MCPServer"},
      {"pods/none/mcp_active_sessions", 404,
       lost + "mcp_active_sessions for pods ns/none: there is no such pod that is scraped"},
      {"pods/*/mcp_active_sessions?labelSelector=a%3Db", 404,
       lost + "mcp_active_sessions for pods: no pod that is scraped is selected in namespace ns"},
      {"pods/dead/mcp_recommended_replicas", 404,
       lost + "mcp_recommended_replicas for pods ns/dead: the metrics of pods are "
              "mcp_requests_per_second, mcp_request_duration_seconds_avg, "
              "mcp_request_duration_seconds_p50, mcp_request_duration_seconds_p95, "
              "mcp_request_duration_seconds_p99, mcp_requests_in_flight, mcp_active_sessions, "
              "mcp_error_ratio"},
      {"deployments.apps/x/mcp_active_sessions", 404,
       lost + "mcp_active_sessions for deployments.apps ns/x: metrics are served for namespaces, "
              "and for pods and mcpservers.mcpfleet.dev in a namespace"},
      {"metrics/mcp_active_sessions", 404,
       lost + "mcp_active_sessions for namespaces ns: no scrape of pod ns/dead has succeeded for "
              "14s: connection refused"},
      {"pods", 400,
       "invalid request path: must be "
       "/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/METRIC"},
      {"pods/*/mcp_active_sessions?labelSelector=a+b", 400,
       "labelSelector: the selector has 'b' after 'a' where =, ==, !=, >, <, in or notin should "
       "be"},
      {"pods/*/mcp_active_sessions?metricLabelSelector=tool%3Da", 400,
       "mcp_active_sessions is not kept by method and tool, so it cannot be selected with tool=a"},
  };
  for (const auto& test : cases) {
    const auto response = get(test.rest);
    EXPECT_EQ(response.status, test.code) << test.rest;
    EXPECT_EQ(error(test.rest, test.code), test.want);
  }
}

TEST_F(MetricsApiTest, AListOfServersLeavesOutThoseWithoutAValue) {
  fleet_.pod("ns", "dead", "x");
  fleet_.pod("ns", "good", "y");
  fleet_.server("ns", "x");
  fleet_.server("ns", "y");
  fleet_.failing("ns", "dead", "timeout", seconds(14));
  fleet_.scraped("ns", "good", 10);
  const auto list = body("mcpservers.mcpfleet.dev/*/mcp_requests_per_second");
  ASSERT_EQ(list["items"].size(), 1u);
  EXPECT_EQ(list["items"][0]["describedObject"]["name"], "y");
  fleet_.pods.clear();
  EXPECT_EQ(body("mcpservers.mcpfleet.dev/*/mcp_requests_per_second")["items"], json::array());
}

TEST_F(MetricsApiTest, RecommendedReplicas) {
  fleet_.server("ns", "x").recommended_replicas = 1234;
  fleet_.server("ns", "y");
  const auto list = body("mcpservers.mcpfleet.dev/*/mcp_recommended_replicas");
  ASSERT_EQ(list["items"].size(), 1u);
  EXPECT_EQ(list["items"][0]["value"], "1234");
  EXPECT_NE(error("mcpservers.mcpfleet.dev/y/mcp_recommended_replicas")
                .find("it has no recommendation yet"),
            std::string::npos);
}

TEST_F(MetricsApiTest, AStaleRecommendationIsAnError) {
  fleet_.pod("ns", "p", "x");
  fleet_.server("ns", "x").recommended_replicas = 3;
  fleet_.scraped("ns", "p", 10);
  bool alive = false;
  source_.emplace(fleet_.roster, demand_, SourceTerms{}, [&alive](MonotonicTime) -> Result<void> {
    if (!alive) return fail(ErrorKind::NotFound, "the operator sleeps");
    return {};
  });
  const std::string metric = "mcp_recommended_replicas";
  EXPECT_EQ(error("mcpservers.mcpfleet.dev/x/" + metric),
            "the server could not find the metric mcp_recommended_replicas for "
            "mcpservers.mcpfleet.dev ns/x: the operator sleeps");
  EXPECT_EQ(error("mcpservers.mcpfleet.dev/*/" + metric),
            "the server could not find the metric mcp_recommended_replicas for "
            "mcpservers.mcpfleet.dev: the operator sleeps");
  EXPECT_EQ(get("mcpservers.mcpfleet.dev/x/" + metric, "metrics.mcpfleet.dev").status, 404);
  EXPECT_EQ(body("mcpservers.mcpfleet.dev/x/mcp_requests_per_second")["items"].size(), 1u)
      << "what pods say is as good as before";
  alive = true;
  EXPECT_EQ(body("mcpservers.mcpfleet.dev/x/" + metric)["items"][0]["value"], "3");
}

TEST_F(MetricsApiTest, NothingIsSaidBeforeAllPodsAreKnown) {
  fleet_.synced = false;
  fleet_.server("ns", "x");
  EXPECT_EQ(error("mcpservers.mcpfleet.dev/x/mcp_active_sessions", 503),
            "the metrics adapter has just started and does not know all pods yet");
  fleet_.synced = true;
  EXPECT_TRUE(fleet_.roster.refresh()) << "also when nothing else changed";
}

TEST_F(MetricsApiTest, APodOfTheSameNameIsAnotherPod) {
  fleet_.pod("ns", "p", "x");
  fleet_.scraped("ns", "p", 10);
  EXPECT_EQ(body("pods/p/mcp_active_sessions")["items"].size(), 1u);
  auto reborn = std::make_shared<PodTarget>(*fleet_.pods.front());
  reborn->uid = "another";
  fleet_.pods = {reborn};
  EXPECT_NE(error("pods/p/mcp_active_sessions").find("was not scraped yet"), std::string::npos);
}

TEST(StatusTest, SaysWhatKubernetesSays) {
  EXPECT_EQ(status_response(404, "a \"b\" \n\xff").body,
            "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
            "\"message\":\"a \\\"b\\\" \\n\xEF\xBF\xBD\",\"reason\":\"NotFound\",\"code\":404}\n");
  EXPECT_EQ(error_response({ErrorKind::Unauthorized, "x"}).status, 401);
  EXPECT_EQ(error_response({ErrorKind::Forbidden, "x"}).status, 403);
  EXPECT_EQ(error_response({ErrorKind::Unavailable, "x"}).status, 503);
  EXPECT_EQ(error_response({ErrorKind::Internal, "x"}).status, 500);
}

TEST(DiscoveryTest, ListsGroupsAndResources) {
  const Discovery discovery;
  const auto get = [&discovery](const char* path, const http::Headers& headers = {}) {
    return discovery.answer(parse_target(path).value(), headers);
  };
  const auto groups = json::parse(get("/apis")->body);
  EXPECT_EQ(groups["kind"], "APIGroupList");
  EXPECT_EQ(groups["groups"].size(), 3u);
  const auto group = json::parse(get("/apis/metrics.mcpfleet.dev")->body);
  EXPECT_EQ(group["kind"], "APIGroup");
  EXPECT_EQ(group["preferredVersion"]["groupVersion"], "metrics.mcpfleet.dev/v1beta2");
  const auto list = json::parse(get("/apis/custom.metrics.k8s.io/v1beta2")->body);
  EXPECT_EQ(list["kind"], "APIResourceList");
  EXPECT_EQ(list["groupVersion"], "custom.metrics.k8s.io/v1beta2");
  EXPECT_EQ(list["resources"].size(), 17u);
  EXPECT_EQ(list["resources"][0], (json{{"name", "pods/mcp_requests_per_second"},
                                        {"singularName", ""},
                                        {"namespaced", true},
                                        {"kind", "MetricValueList"},
                                        {"verbs", {"get"}}}));
  const auto own = get("/apis/metrics.mcpfleet.dev/v1beta2")->body;
  for (const auto name : pod_count_names()) {
    EXPECT_THAT(own, HasSubstr(std::string(name)));
    EXPECT_EQ(list.dump().find(name), std::string::npos) << "they are for our own recommenders";
  }
  EXPECT_EQ(get("/apis/other")->status, 404);
  const auto custom = json::parse(get("/apis/custom.metrics.k8s.io")->body);
  EXPECT_EQ(custom["preferredVersion"]["version"], "v1beta2");
  EXPECT_EQ(custom["versions"].size(), 2u);
  const auto older = json::parse(get("/apis/custom.metrics.k8s.io/v1beta1")->body);
  EXPECT_EQ(older["groupVersion"], "custom.metrics.k8s.io/v1beta1");
  EXPECT_EQ(older["resources"], list["resources"]);
  const auto external = json::parse(get("/apis/external.metrics.k8s.io/v1beta1")->body);
  EXPECT_EQ(external["resources"][0], (json{{"name", "mcp_requests_per_second"},
                                            {"singularName", ""},
                                            {"namespaced", true},
                                            {"kind", "ExternalMetricValueList"},
                                            {"verbs", {"get"}}}));
  EXPECT_EQ(get("/apis/custom.metrics.k8s.io/v1")->status, 404);
  EXPECT_EQ(get("/apis/metrics.mcpfleet.dev/v1beta1")->status, 404);
  EXPECT_FALSE(get("/metrics"));
  EXPECT_FALSE(get("/"));
}

TEST(OpenApiTest, ListsThePathsAndNoDefinitions) {
  const OpenApi openapi;
  const auto get = [&openapi](const std::string& path, const http::Headers& headers = {}) {
    return openapi.answer(parse_target(path).value(), headers);
  };
  const auto older = json::parse(get("/openapi/v2")->body);
  EXPECT_EQ(older["swagger"], "2.0");
  EXPECT_TRUE(older["paths"].contains(
      "/apis/custom.metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/{name}/{metric}"));
  EXPECT_FALSE(older.contains("definitions"));
  const auto index = json::parse(get("/openapi/v3")->body);
  EXPECT_EQ(index["paths"].size(), 4u);
  for (const auto& [name, entry] : index["paths"].items()) {
    const auto document = get(entry["serverRelativeURL"].get<std::string>());
    ASSERT_EQ(document->status, 200) << name;
    const auto paths = json::parse(document->body)["paths"];
    EXPECT_EQ(paths.size(), name.starts_with("apis/external") ? 1u : 2u) << name;
    EXPECT_EQ(
        get("/openapi/v3/" + name, {{"If-None-Match", std::string(*document->headers.get("ETag"))}})
            ->status,
        304);
  }
  EXPECT_EQ(get("/openapi/v3/apis/other/v1")->status, 404);
  EXPECT_FALSE(get("/apis"));
}

TEST(DiscoveryTest, AggregatedWithAnEtag) {
  const Discovery discovery;
  const auto target = parse_target("/apis").value();
  const http::Headers accept{
      {"Accept",
       "application/json; g=apidiscovery.k8s.io; v=v2; as=APIGroupDiscoveryList,application/json"}};
  const auto full = discovery.answer(target, accept);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->status, 200);
  EXPECT_EQ(full->headers.get("Content-Type"),
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  const auto list = json::parse(full->body);
  EXPECT_EQ(list["kind"], "APIGroupDiscoveryList");
  EXPECT_EQ(list["items"][0]["metadata"]["name"], "custom.metrics.k8s.io");
  EXPECT_EQ(list["items"][0]["versions"][0]["freshness"], "Current");
  auto again = accept;
  again.add("If-None-Match", std::string(*full->headers.get("ETag")));
  const auto unchanged = discovery.answer(target, again);
  EXPECT_EQ(unchanged->status, 304);
  EXPECT_EQ(unchanged->body, "");
}

TEST(ProbesTest, AsKubernetesAnswers) {
  bool synced = false;
  const std::vector<Check> checks{{"pods", [&synced] { return synced; }},
                                  {"certificate", [] { return true; }}};
  const auto get = [&checks](const char* path) {
    return answer_probe(parse_target(path).value(), checks);
  };
  EXPECT_EQ(get("/healthz")->body, "ok");
  EXPECT_EQ(get("/livez")->status, 200);
  EXPECT_EQ(get("/readyz")->status, 500);
  EXPECT_EQ(
      get("/readyz")->body,
      "[+]ping ok\n[-]pods failed: reason withheld\n[+]certificate ok\nreadyz check failed\n");
  EXPECT_EQ(get("/readyz?exclude=pods")->status, 200);
  synced = true;
  EXPECT_EQ(get("/readyz")->body, "ok");
  EXPECT_EQ(get("/readyz?verbose")->body,
            "[+]ping ok\n[+]pods ok\n[+]certificate ok\nreadyz check passed\n");
  EXPECT_FALSE(get("/apis"));
  EXPECT_FALSE(get("/healthz/more"));
}

}  // namespace
}  // namespace mcpfleet::adapter
