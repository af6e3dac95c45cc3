// Requests of the metrics API to what Prometheus and the API server are asked, and to bodies.
#include "metrics-adapter/prometheus/prometheus_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "fake_kube.h"
#include "fixture.h"
#include "metrics-adapter/metrics_api.h"
#include "metrics-adapter/own_metrics.h"

namespace mcpfleet::adapter::promql {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kRules = R"(
rules:
- seriesQuery: 'orders_total'
  resources: {template: "<<.Resource>>"}
  name: {matches: "^(.*)_total$", as: "${1}_per_second"}
  metricsQuery: sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)
- seriesQuery: 'shared'
  resources: {overrides: {namespace: {resource: namespace}, node: {resource: node}}}
  metricsQuery: max(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)
- seriesQuery: 'no_namespace'
  resources: {overrides: {pod: {resource: pod}}}
  metricsQuery: <<.Series>>
externalRules:
- seriesQuery: 'queue'
  resources: {overrides: {namespace: {resource: namespace}}}
  metricsQuery: sum(<<.Series>>{<<.LabelMatchers>>}) by (queue)
- seriesQuery: 'global'
  resources: {namespaced: false}
  metricsQuery: max(<<.Series>>{<<.LabelMatchers>>})
- seriesQuery: 'nowhere'
  metricsQuery: max(<<.Series>>{<<.LabelMatchers>>})
)";

constexpr const char* kCore = R"({"kind":"APIResourceList","groupVersion":"v1","resources":[
{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod"},
{"name":"namespaces","singularName":"namespace","namespaced":false,"kind":"Namespace"},
{"name":"nodes","singularName":"node","namespaced":false,"kind":"Node"}]})";
constexpr const char* kGroups = R"({"kind":"APIGroupList","groups":[
{"name":"custom.metrics.k8s.io","preferredVersion":{"version":"v1beta2"}},
{"name":"apps","preferredVersion":{"version":"v1"}}]})";
constexpr const char* kApps = R"({"kind":"APIResourceList","groupVersion":"apps/v1","resources":[
{"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment"}]})";

std::string pod_list(std::initializer_list<const char*> names) {
  json items = json::array();
  for (const char* name : names) items.push_back({{"metadata", {{"name", name}}}});
  // As the API server writes a list without items.
  if (items.empty()) items = nullptr;
  return json{{"kind", "PartialObjectMetadataList"}, {"items", items}}.dump();
}

// Answers as a test says, and remembers what it was asked.
class ScriptedPrometheus final : public PrometheusClient {
 public:
  Result<std::string> get(std::string_view endpoint, const std::vector<Parameter>& parameters,
                          std::size_t) override {
    const auto& text = parameters.front().value;
    if (endpoint == "/api/v1/series") {
      ++series_asked;
      if (!series) return fail(series.error());
      return R"({"status":"success","data":[)" + series->at(text) + "]}";
    }
    queries.push_back(text);
    return answer;
  }

  void answers(const std::string& result) {
    answer = R"({"status":"success","data":{"resultType":"vector","result":[)" + result + "]}}";
  }

  int series_asked = 0;
  Result<std::map<std::string, std::string>> series = std::map<std::string, std::string>{
      {"orders_total", R"({"__name__":"orders_total","namespace":"n","pod":"p","deployment":"d"})"},
      {"shared", R"({"__name__":"shared","namespace":"n","node":"x"})"},
      {"no_namespace", R"({"__name__":"no_namespace","pod":"p"})"},
      {"queue", R"({"__name__":"queue","namespace":"n","queue":"q"})"},
      {"global", R"({"__name__":"global"})"},
      {"nowhere", R"({"__name__":"nowhere"})"}};
  Result<std::string> answer = "";
  std::vector<std::string> queries;
};

class PrometheusSourceTest : public testing::Test {
 protected:
  PrometheusSourceTest() : kube_([this](const FakeKube::Call& call) { return answer(call); }) {
    auto client = std::make_unique<ScriptedPrometheus>();
    prometheus_ = client.get();
    SourceParts parts{std::make_unique<PrometheusMetrics>(own_.registry()), nullptr, nullptr};
    parts.prometheus = counted(std::move(client), *parts.metrics, fleet_.clock);
    parts.series =
        SeriesList::create(parse_rules(kRules).value(), *parts.prometheus, std::chrono::minutes(5))
            .value();
    source_ =
        std::make_unique<PrometheusSource>(std::move(parts), kube_, fleet_.clock, seconds(10));
    EXPECT_TRUE(source_->refresh());
  }

  Result<std::string> answer(const FakeKube::Call& call) {
    if (call.path == "/api/v1") return kCore;
    if (call.path == "/apis") return kGroups;
    if (call.path == "/apis/apps/v1") return kApps;
    if (call.verb == "get_metadata") return list_;
    return fail(ErrorKind::NotFound, "unexpected " + call.path);
  }

  http::Response get(const std::string& rest, const std::string& group = "custom.metrics.k8s.io",
                     const std::string& version = "v1beta2") {
    const auto target = parse_target("/apis/" + group + "/" + version + "/" + rest).value();
    EXPECT_TRUE(waits(target, {pods_, source_.get()})) << rest;
    return answer_metric_request(target, {pods_, source_.get()},
                                 {fleet_.clock.wall(), fleet_.clock.monotonic()});
  }
  std::string error(const std::string& rest, int code = 404,
                    const std::string& group = "custom.metrics.k8s.io") {
    const auto version = group.starts_with("external") ? "v1beta1" : "v1beta2";
    const auto response = get(rest, group, version);
    EXPECT_EQ(response.status, code) << response.body;
    return json::parse(response.body)["message"].get<std::string>();
  }
  // {"metric":{LABELS},"value":[NOW,"VALUE"]}
  static std::string sample(const std::string& labels, const std::string& value) {
    return R"({"metric":{)" + labels + R"(},"value":[1767225600,")" + value + "\"]}";
  }

  OwnMetrics own_;
  MadeUpFleet fleet_;
  Demand demand_;
  MetricSource pods_{fleet_.roster, demand_, {}};
  Result<std::string> list_ = pod_list({"p", "q"});
  FakeKube kube_;
  ScriptedPrometheus* prometheus_ = nullptr;
  std::unique_ptr<PrometheusSource> source_;
};

TEST_F(PrometheusSourceTest, TheExactBody) {
  prometheus_->answers(sample(R"("pod":"q")", "1.5"));
  EXPECT_EQ(get("namespaces/shop/pods/*/orders_per_second?labelSelector=app%3Dx").body,
            R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2",)"
            R"("metadata":{},"items":[{"describedObject":{"kind":"Pod","namespace":"shop",)"
            R"("name":"q","apiVersion":"/v1"},"metric":{"name":"orders_per_second",)"
            R"("selector":null},"timestamp":"2026-01-01T00:00:00Z","value":"1500m"}]})"
            "\n");
  EXPECT_THAT(prometheus_->queries,
              ElementsAre(R"(sum(rate(orders_total{namespace="shop",pod=~"p|q"}[1m])) by (pod))"));
  EXPECT_EQ(kube_.count("get_metadata",
                        "/api/v1/namespaces/shop/pods?resourceVersion=0&labelSelector=app%3Dx"),
            1U);
}

TEST_F(PrometheusSourceTest, NamesOfObjectsAreRememberedForAWhile) {
  prometheus_->answers(sample(R"("pod":"p")", "1"));
  const auto ask = [this] { return get("namespaces/shop/pods/*/orders_per_second").status; };
  EXPECT_EQ(ask(), 200);
  EXPECT_EQ(ask(), 200);
  EXPECT_EQ(kube_.count("get_metadata", "pods"), 1U);
  fleet_.clock.advance(seconds(6));
  EXPECT_EQ(ask(), 200);
  EXPECT_EQ(kube_.count("get_metadata", "pods"), 2U);
}

TEST_F(PrometheusSourceTest, EveryKindOfObject) {
  prometheus_->answers(
      sample(R"("deployment":"web","node":"n1","namespace":"shop","pod":"p")", "2"));
  const struct {
    const char* path;
    const char* kind;
    const char* api_version;
    const char* query;
  } cases[] = {
      {"namespaces/shop/deployments.apps/web/orders_per_second?metricLabelSelector=verb%3DGET",
       "Deployment", "apps/v1",
       R"(sum(rate(orders_total{verb="GET",namespace="shop",deployment="web"}[1m])) by (deployment))"},
      {"namespaces/shop/deployment/web/orders_per_second", "Deployment", "apps/v1",
       R"(sum(rate(orders_total{namespace="shop",deployment="web"}[1m])) by (deployment))"},
      {"namespaces/shop/pods/p/orders_per_second", "Pod", "/v1",
       R"(sum(rate(orders_total{namespace="shop",pod="p"}[1m])) by (pod))"},
      {"namespaces/shop/metrics/orders_per_second", "Namespace", "/v1",
       R"(sum(rate(orders_total{namespace="shop"}[1m])) by (namespace))"},
      {"nodes/n1/shared", "Node", "/v1", R"(max(shared{node="n1"}) by (node))"},
  };
  for (const auto& test : cases) {
    const auto response = get(test.path);
    ASSERT_EQ(response.status, 200) << response.body;
    const auto item = json::parse(response.body)["items"].at(0);
    EXPECT_EQ(item["describedObject"]["kind"], test.kind);
    EXPECT_EQ(item["describedObject"]["apiVersion"], test.api_version);
    EXPECT_EQ(item["value"], "2");
    EXPECT_EQ(prometheus_->queries.back(), test.query);
  }
  EXPECT_EQ(kube_.count("get", "/apis/custom.metrics"), 0U) << "that would be ourselves";
}

TEST_F(PrometheusSourceTest, ExternalMetrics) {
  prometheus_->answers(sample(R"("queue":"in")", "40") + "," + sample(R"("queue":"out")", "0.5"));
  EXPECT_EQ(get("namespaces/shop/queue?labelSelector=queue%20in%20(in,out)",
                "external.metrics.k8s.io", "v1beta1")
                .body,
            R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1",)"
            R"("metadata":{},"items":[{"metricName":"queue","metricLabels":{"queue":"in"},)"
            R"("timestamp":"2026-01-01T00:00:00Z","value":"40"},{"metricName":"queue",)"
            R"("metricLabels":{"queue":"out"},"timestamp":"2026-01-01T00:00:00Z","value":"500m"}]})"
            "\n");
  EXPECT_EQ(get("namespaces/shop/global", "external.metrics.k8s.io", "v1beta1").status, 200);
  EXPECT_THAT(
      prometheus_->queries,
      ElementsAre(R"(sum(queue{queue=~"in|out",namespace="shop"}) by (queue))", "max(global{})"));
}

TEST_F(PrometheusSourceTest, WhatThePodsKnowIsTheirs) {
  const auto waits_for = [this](const char* path) {
    return waits(parse_target(path).value(), {pods_, source_.get()});
  };
  constexpr std::string_view kExternal = "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/";
  EXPECT_FALSE(
      waits_for("/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/pods/*/"
                "mcp_requests_per_second"));
  EXPECT_FALSE(waits_for("/apis/custom.metrics.k8s.io/v1beta2"));
  EXPECT_FALSE(waits_for("/apis/custom.metrics.k8s.io/v1beta9/namespaces/ns/pods/*/x"));
  EXPECT_FALSE(
      waits_for((std::string(kExternal) + "mcp_error_ratio?labelSelector=server").c_str()));
  EXPECT_TRUE(waits_for((std::string(kExternal) + "mcp_error_ratio?labelSelector=job").c_str()));
  EXPECT_FALSE(
      waits(parse_target("/apis/custom.metrics.k8s.io/v1beta2/nodes/n/m").value(), {pods_}));
}

TEST_F(PrometheusSourceTest, NoValueSaysWhy) {
  prometheus_->answers("");
  EXPECT_EQ(error("namespaces/shop/pods/p/orders_per_second"),
            "the server could not find the metric orders_per_second for pods shop/p: Prometheus "
            R"(has no value: sum(rate(orders_total{namespace="shop",pod="p"}[1m])) by (pod))");
  EXPECT_THAT(error("nodes/n/none"),
              HasSubstr("for nodes n: no rule makes such a metric of what Prometheus has"));
  EXPECT_THAT(error("namespaces/shop/pods/p/shared"),
              HasSubstr("none of its series has a label that the rules take for the name of pods"));
  EXPECT_THAT(error("namespaces/shop/things/p/shared"),
              HasSubstr("the API server knows no such resource"));
  EXPECT_THAT(error("pods/p/orders_per_second"), HasSubstr("pods are asked for in a namespace"));
  EXPECT_THAT(error("namespaces/shop/nodes/n/shared"), HasSubstr("nodes are in no namespace"));
  EXPECT_THAT(error("namespaces/shop/pods/p/no_namespace", 400),
              HasSubstr("rules[2].resources names no label of namespaces"));
  EXPECT_THAT(error("namespaces/shop/pods/p/orders_per_second?metricLabelSelector=a.b%3Dc", 400),
              HasSubstr("'a.b' cannot be the name of a Prometheus label"));
  list_ = pod_list({});
  EXPECT_THAT(error("namespaces/shop/pods/*/orders_per_second"), HasSubstr("no pods are selected"));
  const std::string external = "external.metrics.k8s.io";
  EXPECT_EQ(error("namespaces/shop/queue?labelSelector=queue%3Din", 404, external),
            "the server could not find the metric queue with selector queue=in: Prometheus has no "
            R"(value: sum(queue{queue="in",namespace="shop"}) by (queue))");
  EXPECT_THAT(error("namespaces/shop/none", 404, external),
              HasSubstr("no rule makes such a metric"));
  EXPECT_THAT(error("namespaces/shop/nowhere", 400, external),
              HasSubstr("externalRules[2].resources names no label of namespaces, by overrides or "
                        "template; namespaced: false asks for all namespaces"));
}

TEST_F(PrometheusSourceTest, NaNIsNeverAZero) {
  const std::string external = "external.metrics.k8s.io";
  prometheus_->answers(sample(R"("pod":"p")", "NaN"));
  EXPECT_THAT(error("namespaces/shop/pods/*/orders_per_second"),
              HasSubstr("Prometheus' value is NaN, which is no quantity"));
  prometheus_->answers(sample(R"("queue":"in")", "1") + "," + sample(R"("queue":"out")", "+Inf"));
  EXPECT_THAT(error("namespaces/shop/queue", 404, external), HasSubstr("value is +Inf"));
}

TEST_F(PrometheusSourceTest, OldAnswersAreRefused) {
  prometheus_->answers(sample(R"("pod":"p")", "1"));
  fleet_.clock.advance(seconds(14));
  EXPECT_THAT(error("namespaces/shop/pods/p/orders_per_second"),
              HasSubstr("Prometheus' value is 14s old, and only 10s are allowed"));
}

TEST_F(PrometheusSourceTest, OutagesAreNeverAZero) {
  prometheus_->answer = fail(ErrorKind::Unavailable, "cannot ask Prometheus at x: refused");
  EXPECT_THAT(error("namespaces/shop/pods/p/orders_per_second", 503),
              HasSubstr("cannot ask Prometheus at x: refused: sum(rate("));
  list_ = fail(ErrorKind::Forbidden, "forbidden: no");
  EXPECT_EQ(error("namespaces/shop/pods/*/orders_per_second", 503),
            "cannot list the pods that are selected: forbidden: no");
}

TEST_F(PrometheusSourceTest, WhatWasReadStaysWhileNothingCanBe) {
  prometheus_->series = fail(ErrorKind::Timeout, "no answer");
  EXPECT_FALSE(source_->refresh());
  prometheus_->answers(sample(R"("pod":"p")", "1"));
  EXPECT_EQ(get("namespaces/shop/pods/p/orders_per_second").status, 200);
  EXPECT_THAT(error("nodes/n/none"),
              HasSubstr("as far as it could be read: the series orders_total: no answer"));
}

// kubernetes-sigs/prometheus-adapter#229: listed for twenty minutes more.
TEST_F(PrometheusSourceTest, AMetricThatVanishedIsGoneWithTheNextDiscovery) {
  prometheus_->answers(sample(R"("pod":"p")", "1"));
  EXPECT_EQ(get("namespaces/shop/pods/p/orders_per_second").status, 200);
  prometheus_->series->at("orders_total") = "";
  EXPECT_TRUE(source_->refresh());
  EXPECT_THAT(error("namespaces/shop/pods/p/orders_per_second"),
              HasSubstr("no rule makes such a metric of what Prometheus has"));
}

TEST_F(PrometheusSourceTest, ExplainsByTheQuery) {
  prometheus_->answers(sample(R"("pod":"p")", "1.5"));
  const auto body = json::parse(
      get("explain/namespaces/shop/pods/p/orders_per_second", "metrics.mcpfleet.dev").body);
  EXPECT_EQ(body["formula"], R"(sum(rate(orders_total{namespace="shop",pod="p"}[1m])) by (pod))");
  EXPECT_EQ(body["value"], "1500m");
  EXPECT_FALSE(body.contains("windowSeconds"));
  EXPECT_EQ(body["prometheus"]["query"], body["formula"]);
  EXPECT_EQ(body["prometheus"]["series"], 1);
  EXPECT_EQ(body["prometheus"]["discoveryAgeSeconds"], 0);
}

TEST_F(PrometheusSourceTest, ExplainsAnExternalMetricByTheQuery) {
  prometheus_->answers(sample(R"("queue":"in")", "40") + "," + sample(R"("queue":"out")", "0.5"));
  fleet_.clock.advance(seconds(4));
  const auto explain = [this](const std::string& rest) {
    return json::parse(get("explain/namespaces/shop/" + rest, "metrics.mcpfleet.dev").body);
  };
  auto body = explain("queue?labelSelector=queue%20in%20(in,out)");
  EXPECT_EQ(body["kind"], "MetricExplanation");
  EXPECT_EQ(body["formula"], R"(sum(queue{queue=~"in|out",namespace="shop"}) by (queue))");
  EXPECT_EQ(body["prometheus"]["query"], body["formula"]);
  EXPECT_EQ(body["prometheus"]["series"], 2);
  EXPECT_EQ(body["prometheus"]["discoveryAgeSeconds"], 4);
  EXPECT_EQ(body["sum"], "40500m");
  ASSERT_EQ(body["items"].size(), 2u);
  EXPECT_EQ(body["items"][0]["metricLabels"], (json{{"queue", "in"}}));
  EXPECT_EQ(body["items"][0]["value"], "40");
  EXPECT_EQ(body["items"][0]["ageSeconds"], 4);
  prometheus_->answers(sample(R"("queue":"in")", "NaN"));
  body = explain("queue");
  EXPECT_THAT(body["reason"].get<std::string>(), HasSubstr("value is NaN"));
  EXPECT_EQ(body["prometheus"]["series"], 1);
  EXPECT_FALSE(body.contains("sum"));
  body = explain("none");
  EXPECT_THAT(body["reason"].get<std::string>(), HasSubstr("no rule makes such a metric"));
  EXPECT_EQ(body["prometheus"]["query"], "");
}

TEST_F(PrometheusSourceTest, OtherWindowsAreSaidByItsQueries) {
  EXPECT_THAT(
      error("namespaces/shop/pods/p/orders_per_second?window=6s", 400, "metrics.mcpfleet.dev"),
      testing::StartsWith("window: "));
  EXPECT_THAT(prometheus_->queries, ElementsAre());
}

TEST_F(PrometheusSourceTest, CountsWhatItAsks) {
  const auto told = [this](const std::string& line) {
    EXPECT_THAT(own_.exposition(), HasSubstr("\nmcpfleet_adapter_prometheus_" + line + "\n"));
  };
  told(R"(requests_total{kind="discovery"} 6)");
  told(R"(requests_total{kind="query"} 0)");
  told("series 6");
  told("metrics 6");
  told("last_discovery_timestamp_seconds 1767225600");
  prometheus_->answers(sample(R"("pod":"p")", "1.5"));
  for (int i = 0; i < 2; ++i) get("namespaces/shop/pods/*/orders_per_second");
  told(R"(requests_total{kind="query"} 2)");
  told(R"(request_duration_seconds_count{kind="query"} 2)");
  told(R"(cache_misses_total{cache="objects"} 1)");
  told(R"(cache_hits_total{cache="objects"} 1)");
  told(R"(cache_misses_total{cache="resources"} 1)");
  told(R"(cache_hits_total{cache="resources"} 1)");
  prometheus_->answer = fail(ErrorKind::Unavailable, "no answer");
  prometheus_->series = fail(ErrorKind::Unavailable, "no answer");
  fleet_.clock.advance(seconds(60));
  EXPECT_FALSE(source_->refresh());
  get("namespaces/shop/pods/p/orders_per_second");
  told(R"(request_failures_total{kind="query"} 1)");
  told(R"(request_failures_total{kind="discovery"} 6)");
  told("series 6");
  told("last_discovery_timestamp_seconds 1767225600");
}

TEST(SeriesListTest, AsksOnceForEachQueryAndTheLastRuleCounts) {
  ScriptedPrometheus prometheus;
  const auto rules = parse_rules(R"(
rules:
- {seriesQuery: shared, metricsQuery: first, name: {as: same}}
- {seriesQuery: shared, metricsQuery: second, name: {as: same}}
externalRules:
- {seriesQuery: shared, metricsQuery: third}
)")
                         .value();
  const auto list = SeriesList::create(rules, prometheus, seconds(300)).value();
  EXPECT_EQ(list->table(), nullptr);
  EXPECT_TRUE(list->refresh(WallTime{seconds(1000)}));
  EXPECT_EQ(prometheus.series_asked, 1);
  const auto table = list->table();
  const auto& known = MetricTable::find(table->custom, "same");
  ASSERT_EQ(known.size(), 2U);
  EXPECT_EQ(known.back().namer->rule().metrics_query, "second");
  EXPECT_EQ(MetricTable::find(table->external, "shared").size(), 1U);
  EXPECT_TRUE(MetricTable::find(table->external, "same").empty());
}

}  // namespace
}  // namespace mcpfleet::adapter::promql
