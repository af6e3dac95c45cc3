#include "operator/workloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

fleet::MCPServer server_of(const char* kind, const char* name) {
  fleet::MCPServer server;
  server.namespace_ = "ns";
  server.name = "s";
  server.uid = "u-1";
  server.workload_ref = {kind, name};
  server.autoscaling.emplace();
  return server;
}

json scaler(const char* name, const json& target, const json& owners = json::array()) {
  return {{"metadata", {{"name", name}, {"ownerReferences", owners}}},
          {"spec", {{"scaleTargetRef", target}}}};
}

json list_of(std::vector<json> items) { return {{"items", std::move(items)}}; }

json owner(const char* kind, const char* uid) {
  return json::array({{{"kind", kind}, {"uid", uid}, {"controller", true}}});
}

TEST(OtherScalers, AreThoseOfTheSameWorkloadThatAreNotOurs) {
  const json theirs{{"kind", "Deployment"}, {"name", "web"}};
  const struct {
    const char* name;
    const char* kind;
    json item;
    std::vector<std::string> want;
  } cases[] = {
      {"an HPA by hand",
       "HorizontalPodAutoscaler",
       scaler("x", theirs),
       {"HorizontalPodAutoscaler x"}},
      {"ours", "HorizontalPodAutoscaler", scaler("s", theirs, owner("MCPServer", "u-1")), {}},
      {"of another MCPServer",
       "HorizontalPodAutoscaler",
       scaler("t", theirs, owner("MCPServer", "u-2")),
       {"HorizontalPodAutoscaler t"}},
      {"of another workload",
       "HorizontalPodAutoscaler",
       scaler("x", {{"kind", "Deployment"}, {"name", "api"}}),
       {}},
      {"of a StatefulSet of that name",
       "HorizontalPodAutoscaler",
       scaler("x", {{"kind", "StatefulSet"}, {"name", "web"}}),
       {}},
      {"KEDA's", "ScaledObject", scaler("k", {{"name", "web"}}), {"ScaledObject k"}},
      {"the HPA of KEDA's",
       "HorizontalPodAutoscaler",
       scaler("keda-hpa-k", theirs, owner("ScaledObject", "u-3")),
       {}},
  };
  for (const auto& test : cases) {
    const auto scalers = decode_scalers(list_of({test.item}).dump(), test.kind);
    ASSERT_TRUE(scalers) << test.name;
    EXPECT_EQ(other_scalers(*scalers, server_of("Deployment", "web")), test.want) << test.name;
  }
}

TEST(OtherScalers, GarbageIsAnError) {
  EXPECT_EQ(decode_scalers("{}", "ScaledObject").error().kind, ErrorKind::Malformed);
  EXPECT_EQ(decode_scalers("[", "ScaledObject").error().kind, ErrorKind::Malformed);
}

constexpr const char* kDeployment = "/apis/apps/v1/namespaces/ns/deployments/web";
constexpr const char* kStatefulSet = "/apis/apps/v1/namespaces/ns/statefulsets/db";
constexpr const char* kHpas = "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers";
constexpr const char* kScaledObjects = "/apis/keda.sh/v1alpha1/namespaces/ns/scaledobjects";

class WorkloadsTest : public testing::Test {
 protected:
  WorkloadsTest() {
    api_[kHpas] = list_of({});
    client_.answer = [this](const kube::FakeClient::Call& call) -> Result<std::string> {
      const auto found = api_.find(call.path);
      if (found == api_.end()) return fail(ErrorKind::NotFound, "not found");
      return found->second.dump();
    };
  }
  std::size_t calls(const std::string& path) {
    return static_cast<std::size_t>(
        std::ranges::count(client_.calls(), path, &kube::FakeClient::Call::path));
  }

  ManualClock clock_;
  kube::FakeClient client_;
  std::map<std::string, json> api_;
  Workloads workloads_{client_, clock_};
};

TEST_F(WorkloadsTest, SeesTheWorkload) {
  api_[kDeployment] = {
      {"kind", "Deployment"},
      {"metadata", {{"name", "web"}}},
      {"spec", {{"replicas", 4}, {"selector", {{"matchLabels", {{"app", "web"}}}}}}},
      {"status", {{"replicas", 4}, {"readyReplicas", 3}}}};
  const auto seen = workloads_.look(server_of("Deployment", "web"));
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->workload.found);
  EXPECT_EQ(seen->workload.ready_replicas, 3);
  EXPECT_EQ(seen->workload.selector, "app=web");
  EXPECT_THAT(seen->other_scalers, IsEmpty());
  ASSERT_TRUE(workloads_.scaled("ns/s"));
  EXPECT_EQ(workloads_.scaled("ns/s")->counts.replicas, 4);
  workloads_.forget("ns/s");
  EXPECT_FALSE(workloads_.scaled("ns/s"));
}

TEST_F(WorkloadsTest, OneThatDoesNotExistIsNoError) {
  const auto server = server_of("StatefulSet", "db");
  auto seen = workloads_.look(server);
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->workload.found);
  EXPECT_EQ(seen->workload.kind, "StatefulSet");
  EXPECT_EQ(seen->workload.name, "db");
  EXPECT_FALSE(workloads_.scaled("ns/s"));
  api_[kStatefulSet] = {{"kind", "StatefulSet"}, {"metadata", {{"name", "db"}}}};
  EXPECT_TRUE(workloads_.look(server)->workload.found);
}

TEST_F(WorkloadsTest, NamesWhatElseScalesItAndAsksForThatNowAndThen) {
  const auto server = server_of("Deployment", "web");
  api_[kScaledObjects] = list_of({scaler("k", {{"name", "web"}})});
  EXPECT_THAT(workloads_.look(server)->other_scalers, ElementsAre("ScaledObject k"));
  api_[kHpas] = list_of({scaler("x", {{"kind", "Deployment"}, {"name", "web"}})});
  workloads_.look(server);
  EXPECT_EQ(calls(kHpas), 1U) << "it was just asked for";
  clock_.advance(seconds(5));
  EXPECT_THAT(workloads_.look(server)->other_scalers,
              ElementsAre("HorizontalPodAutoscaler x", "ScaledObject k"));
}

TEST_F(WorkloadsTest, WithoutKedaItIsSeldomAskedFor) {
  const auto server = server_of("Deployment", "web");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(workloads_.look(server));
    clock_.advance(seconds(10));
  }
  EXPECT_EQ(calls(kScaledObjects), 1U);
  clock_.advance(minutes(1));
  api_[kScaledObjects] = list_of({scaler("k", {{"name", "web"}})});
  EXPECT_THAT(workloads_.look(server)->other_scalers, ElementsAre("ScaledObject k"));
}

TEST_F(WorkloadsTest, WithoutAutoscalingNobodyIsInTheWay) {
  auto server = server_of("Deployment", "web");
  server.autoscaling.reset();
  api_[kHpas] = list_of({scaler("x", {{"kind", "Deployment"}, {"name", "web"}})});
  EXPECT_THAT(workloads_.look(server)->other_scalers, IsEmpty());
  EXPECT_EQ(calls(kHpas), 0U);
}

TEST_F(WorkloadsTest, ErrorsArePassedOn) {
  client_.answer = [](const kube::FakeClient::Call&) -> Result<std::string> {
    return fail(ErrorKind::Unavailable, "down");
  };
  EXPECT_EQ(workloads_.look(server_of("Deployment", "web")).error().kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace mcpfleet::op
