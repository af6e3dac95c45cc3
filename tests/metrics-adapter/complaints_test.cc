// What users of other metrics adapters complain of, each as a promise. docs/metrics.md lists them
// all with the tests that stand elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "fake_kube.h"
#include "fixture.h"
#include "metrics-adapter/api_handler.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Says at once what it has, and answers no query until it may.
class StuckPrometheus final : public promql::PrometheusClient {
 public:
  explicit StuckPrometheus(std::shared_future<void> may_answer)
      : may_answer_(std::move(may_answer)) {}
  Result<std::string> get(std::string_view endpoint, const std::vector<promql::Parameter>&,
                          std::size_t) override {
    if (endpoint == "/api/v1/series")
      return R"({"status":"success","data":[{"__name__":"queue","namespace":"ns"}]})";
    may_answer_.wait();
    return R"({"status":"success","data":{"resultType":"vector","result":[]}})";
  }

 private:
  const std::shared_future<void> may_answer_;
};

class ComplaintsTest : public testing::Test {
 protected:
  ComplaintsTest() {
    promql::SourceParts parts{std::make_unique<promql::PrometheusMetrics>(metrics_.registry()),
                              nullptr, nullptr};
    parts.prometheus = std::make_unique<StuckPrometheus>(may_answer_.get_future().share());
    const auto rules = promql::parse_rules(
        "externalRules:\n- {seriesQuery: queue, resources: {namespaced: false}, "
        "metricsQuery: <<.Series>>}\n");
    parts.series = promql::SeriesList::create(rules.value(), *parts.prometheus, seconds(1)).value();
    prometheus_.emplace(std::move(parts), kube_, fleet_.clock, seconds(10));
    EXPECT_TRUE(prometheus_->refresh());
    handler_.emplace(
        Gatekeeper{[](const http::Request&) { return http::Identity{"u", "", {}, {}}; }, nullptr,
                   [](const http::Identity&, const AccessRequest&) { return Result<void>(); },
                   nullptr},
        Sources{source_, &*prometheus_}, std::vector<Check>{}, fleet_.clock, pool_, metrics_);
  }

  // Calls back where the answer comes later.
  void ask(const std::string& path, http::Respond respond) {
    fleet_.roster.touch();
    fleet_.roster.refresh();
    http::Request request;
    request.method = "GET";
    request.target = path;
    handler_->handle(std::move(request), std::move(respond));
  }
  // An answer that must come at once.
  json answer(const std::string& path, int code = 200) {
    auto response = std::make_shared<std::optional<http::Response>>();
    ask(path, [response](http::Response said) { *response = std::move(said); });
    EXPECT_TRUE(*response) << path << " has to wait";
    if (!*response) return {};
    EXPECT_EQ((*response)->status, code) << (*response)->body;
    return json::parse((*response)->body, nullptr, false);
  }
  static std::string of_server(const char* name, const char* metric) {
    return std::string(
               "/apis/metrics.mcpfleet.dev/v1beta2/namespaces/ns/mcpservers.mcpfleet.dev/") +
           name + "/" + metric;
  }

  std::promise<void> may_answer_;
  MadeUpFleet fleet_;
  Demand demand_;
  MetricSource source_{fleet_.roster, demand_, {}};
  OwnMetrics metrics_;
  FakeKube kube_{[](const FakeKube::Call&) -> Result<std::string> {
    return fail(ErrorKind::NotFound, "nothing");
  }};
  WorkerPool pool_{1, 16};
  std::optional<promql::PrometheusSource> prometheus_;
  std::optional<ApiHandler> handler_;
};

// prometheus-community/helm-charts#2052: thousands of resources in discovery.
// kubernetes-sigs/custom-metrics-apiserver#146: an error of every client where the list is empty.
TEST_F(ComplaintsTest, TheListsOfMetricsAreSmallConstantAndNeverEmpty) {
  const auto lists = [this] {
    std::vector<json> all;
    for (const auto group : kGroups)
      for (const auto version : versions_of(group))
        all.push_back(answer("/apis/" + std::string(group) + "/" + std::string(version)));
    return all;
  };
  const auto before = lists();
  for (const auto& list : before) {
    EXPECT_FALSE(list["resources"].empty()) << list;
    EXPECT_LT(list.dump().size(), 4000u);
  }
  for (int i = 0; i < 100; ++i) {
    const auto name = "x" + std::to_string(i);
    fleet_.server("ns", name);
    fleet_.pod("ns", name, name);
    static_cast<void>(demand_.ask("ns", name, fleet_.clock.monotonic()));
  }
  EXPECT_EQ(lists(), before) << "whatever there is";
}

// kubernetes/kubernetes#98801: every kubectl waits for a slow adapter. #75788: one whose source is
// dead keeps namespaces from being deleted. kedacore/keda#5624: slow metrics make others late.
TEST_F(ComplaintsTest, ASourceThatHangsDelaysNobodyElse) {
  fleet_.pod("ns", "p", "x");
  fleet_.server("ns", "x");
  fleet_.scraped("ns", "p", 10);
  std::atomic<int> answered = 0;
  constexpr int kAsked = 50;
  for (int i = 0; i < kAsked; ++i)
    ask("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/queue",
        [&answered](const http::Response& response) {
          EXPECT_EQ(response.status, 404);
          ++answered;
        });
  EXPECT_EQ(answer("/apis/custom.metrics.k8s.io/v1beta2")["kind"], "APIResourceList");
  EXPECT_EQ(answer("/apis")["kind"], "APIGroupList");
  EXPECT_EQ(answer("/openapi/v2")["swagger"], "2.0");
  answer("/readyz");
  EXPECT_EQ(answer(of_server("x", "mcp_requests_per_second"))["items"][0]["value"], "1");
  EXPECT_EQ(answered, 0);
  may_answer_.set_value();
  while (answered < kAsked) std::this_thread::yield();
}

// zalando-incubator/kube-metrics-adapter#97: values of deleted pods for a quarter of an hour.
TEST_F(ComplaintsTest, ADeletedPodHasNoValueAnyMore) {
  fleet_.server("ns", "x");
  for (const char* name : {"p", "q"}) {
    fleet_.pod("ns", name, "x");
    fleet_.scraped("ns", name, 10);
  }
  const std::string pods = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/*/";
  EXPECT_EQ(answer(pods + "mcp_requests_per_second")["items"].size(), 2u);
  fleet_.pods.pop_back();
  EXPECT_EQ(answer(pods + "mcp_requests_per_second")["items"].size(), 1u);
  EXPECT_EQ(answer(of_server("x", "mcp_requests_per_second"))["items"][0]["value"], "1");
}

// kubernetes/kubernetes#87199: a rollout that only crashes drives the HPA to its maximum.
TEST_F(ComplaintsTest, ACrashLoopingRolloutRaisesNoValue) {
  fleet_.server("ns", "x");
  fleet_.pod("ns", "good", "x").labels.add("pod-template-hash", "v1");
  fleet_.scraped("ns", "good", 10);
  for (const char* name : {"bad-1", "bad-2"}) {
    auto& pod = fleet_.pod("ns", name, "x");
    pod.labels.add("pod-template-hash", "v2");
    pod.ready = pod.was_ready = false;
    pod.created = fleet_.clock.wall();
    fleet_.failing("ns", name, "connection refused", seconds(60));
  }
  EXPECT_EQ(answer(of_server("x", "mcp_requests_per_second"))["items"][0]["value"], "1");
  EXPECT_EQ(answer(of_server("x", "mcp_pods_ready"))["items"][0]["value"], "1");
  EXPECT_EQ(answer(of_server("x", "mcp_pods_starting"))["items"][0]["value"], "2");
}

// kubernetes/kubernetes#104387, kedacore/keda#3065: an outage of the metrics reads as no load.
TEST_F(ComplaintsTest, AnOutageIsAnErrorAndNeverNoLoad) {
  fleet_.server("ns", "x");
  for (const char* name : {"p", "q"}) fleet_.pod("ns", name, "x");
  fleet_.scraped("ns", "p", 10);
  fleet_.failing("ns", "q", "connection refused", seconds(60));
  EXPECT_THAT(answer(of_server("x", "mcp_requests_per_second"), 404)["message"].get<std::string>(),
              HasSubstr("no scrape of pod ns/q has succeeded for 60s: connection refused"));
}

}  // namespace
}  // namespace mcpfleet::adapter
