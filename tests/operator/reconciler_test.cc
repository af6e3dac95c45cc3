#include "operator/reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "desired/reasons.h"
#include "kube/paths.h"
#include "tests/operator/fake_api.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kServerPath = "/apis/mcpfleet.dev/v1alpha1/namespaces/ns/mcpservers/s";
constexpr const char* kDeploymentPath = "/apis/apps/v1/namespaces/ns/deployments/s";
constexpr const char* kServicePath = "/api/v1/namespaces/ns/services/s";
constexpr const char* kHpaPath = "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers/s";
constexpr const char* kSecretPath = "/api/v1/namespaces/ns/secrets/s-session-key";

json server_object() {
  return {{"apiVersion", "mcpfleet.dev/v1alpha1"},
          {"kind", "MCPServer"},
          {"metadata", {{"name", "s"}, {"namespace", "ns"}, {"generation", 1}}},
          {"spec",
           {{"source", {{"type", "ContainerImage"}, {"containerImage", {{"ref", "image:1"}}}}},
            {"transport", {{"type", "streamable-http"}}},
            {"autoscaling", {{"minReplicas", 3}, {"maxReplicas", 9}}}}}};
}

// One life of the operator: it knows what the API server holds when it begins.
struct Life {
  Life(Api& api, const Clock& clock, WorldOptions watched = {},
       const std::string& sidecar = "sidecar:1", bool keep_sidecar = true)
      : world([](const std::string&) {}, std::move(watched)),
        reconciler({api.client, world, scalers, sessions, events, telemetry, clock},
                   SessionKeys(std::string(32, 'k')), {sidecar, "", true, keep_sidecar}) {
    learn(api);
  }
  void learn(Api& api) {
    const auto tell = [&](const std::string& path, kube::Sink& sink) {
      const auto found = api.objects.find(path);
      sink.list_begin();
      if (found != api.objects.end()) sink.upsert(found->second.dump());
      sink.list_end();
      sink.reached(std::to_string(api.version));
    };
    tell(kServerPath, world.servers);
    for (const auto& type : kChildTypes) {
      if (world.watches(type.kind)) {
        tell(kube::object_path(type.api_version, "ns", type.plural, name_of(type.kind)),
             world.sink(type.kind));
      }
    }
  }
  static const char* name_of(ChildKind kind) {
    return kind == ChildKind::Secret ? "s-session-key" : "s";
  }
  Result<kube::Next> reconcile() { return reconciler.reconcile("ns/s"); }
  // Long enough for the status to be written, too.
  Result<kube::Next> settle(ManualClock& clock) {
    auto next = reconcile();
    if (!next) return next;
    clock.advance(seconds(1));
    return reconcile();
  }

  World world;
  Scalers scalers;
  SessionCounts sessions;
  Recorded events;
  Telemetry telemetry;
  Reconciler reconciler;
};

class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() { start(api_); }

  static void start(Api& api) { api.store(kServerPath, server_object()); }
  json accepted() {
    for (const auto& condition : api_.objects[kServerPath]["status"]["conditions"]) {
      if (condition["type"] == "Accepted") return condition;
    }
    return {};
  }
  // All that is stored, without versions and times.
  static json state(const Api& api) {
    json result = api.objects;
    for (auto& [path, object] : result.items()) object["metadata"].erase("resourceVersion");
    auto& status = result[kServerPath]["status"];
    for (auto& condition : status["conditions"]) condition.erase("lastTransitionTime");
    for (auto& metric : status["scaling"]["metrics"]) metric.erase("time");
    return result;
  }

  ManualClock clock_;
  Api api_;
};

TEST_F(ReconcilerTest, MakesTheChildrenAndSaysSo) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  for (const char* path : {kSecretPath, kServicePath, kDeploymentPath, kHpaPath}) {
    EXPECT_TRUE(api_.objects.contains(path)) << path;
  }
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["replicas"], 3);
  EXPECT_EQ(accepted()["status"], "True");
}

TEST_F(ReconcilerTest, WritesNothingASecondTimeNorAfterARestart) {
  {
    Life life(api_, clock_);
    ASSERT_TRUE(life.settle(clock_));
    const int writes = api_.writes;
    ASSERT_TRUE(life.reconcile());  // before the watch told of anything
    life.learn(api_);
    ASSERT_TRUE(life.reconcile());
    EXPECT_EQ(api_.writes, writes);
  }
  const int writes = api_.writes;
  Life next(api_, clock_);
  ASSERT_TRUE(next.settle(clock_));
  EXPECT_EQ(api_.writes, writes);
}

TEST_F(ReconcilerTest, KilledAtAnyWriteTheEndIsTheSame) {
  {
    Life life(api_, clock_);
    ASSERT_TRUE(life.settle(clock_));
  }
  const int writes = api_.writes;
  ASSERT_GT(writes, 4);
  for (int n = 1; n <= writes; ++n) {
    Api broken;
    start(broken);
    broken.fail_at = n;
    {
      Life life(broken, clock_);
      EXPECT_FALSE(life.settle(clock_)) << n;
    }
    Life next(broken, clock_);
    ASSERT_TRUE(next.settle(clock_)) << n;
    EXPECT_EQ(state(broken), state(api_)) << n;
    EXPECT_THAT(next.events.events, IsEmpty()) << n;
  }
}

TEST_F(ReconcilerTest, PutsAnEditRightWithAnEvent) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  const json before = state(api_);
  api_.store(kHpaPath, {{"spec", {{"maxReplicas", 99}}}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(state(api_), before);
  EXPECT_THAT(life.events.events,
              Contains(HasSubstr("HorizontalPodAutoscaler s was put right: spec.maxReplicas")));
}

TEST_F(ReconcilerTest, ARefusedChildIsAConditionAndTheRestStays) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  const json deployment = api_.objects[kDeploymentPath];
  api_.fault = [](const kube::FakeClient::Call& call) -> std::optional<Error> {
    if (call.path != kDeploymentPath) return std::nullopt;
    return Error{ErrorKind::Invalid, "spec.template: bad"};
  };
  api_.store(kServerPath, {{"metadata", {{"generation", 2}}},
                           {"spec", {{"source", {{"containerImage", {{"ref", "image:2"}}}}}}}});
  life.learn(api_);
  EXPECT_FALSE(life.reconcile());  // it is tried again
  EXPECT_EQ(accepted()["status"], "False");
  EXPECT_EQ(accepted()["reason"], "Refused");
  EXPECT_THAT(accepted()["message"].get<std::string>(), HasSubstr("spec.template: bad"));
  EXPECT_EQ(api_.objects[kDeploymentPath], deployment);
  api_.fault = nullptr;
  ASSERT_TRUE(life.settle(clock_));
  EXPECT_EQ(accepted()["status"], "True");
}

TEST_F(ReconcilerTest, ASpecThatCannotBeReadLeavesTheChildren) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.reconcile());
  const json deployment = api_.objects[kDeploymentPath];
  api_.store(kServerPath, {{"metadata", {{"generation", 2}}},
                           {"spec", {{"autoscaling", {{"minReplicas", 50}}}}}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());  // nothing to try before the spec changes
  EXPECT_EQ(accepted()["reason"], "Invalid");
  EXPECT_THAT(accepted()["message"].get<std::string>(), HasSubstr("minReplicas"));
  EXPECT_EQ(api_.objects[kDeploymentPath], deployment);
}

TEST_F(ReconcilerTest, MakingCostsARequestAChildAndOneForTheStatus) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  const auto children = api_.objects.size() - 1;
  EXPECT_EQ(api_.client.calls().size(), children + 1);
}

TEST_F(ReconcilerTest, AnObjectOfSomebodyElseIsNotTouched) {
  api_.store(kServicePath, {{"kind", "Service"},
                            {"metadata", {{"name", "s"}, {"namespace", "ns"}}},
                            {"spec", {{"clusterIP", "None"}}}});
  const json before = api_.objects[kServicePath];
  Life life(api_, clock_);
  // Without our labels no watch shows it.
  life.world.sink(ChildKind::Service).remove("ns", "s");
  EXPECT_FALSE(life.reconcile());
  EXPECT_EQ(accepted()["reason"], "NameTaken");
  EXPECT_EQ(api_.objects[kServicePath], before);
  EXPECT_FALSE(api_.objects.contains(kDeploymentPath));
}

TEST_F(ReconcilerTest, AChildThatLostItsLabelsIsFoundAndPutRight) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  const json before = state(api_);
  life.learn(api_);
  api_.objects[kDeploymentPath]["metadata"]["labels"].erase("app.kubernetes.io/managed-by");
  life.world.deployments.remove("ns", "s");
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(state(api_), before);
  EXPECT_THAT(life.events.events,
              Contains(HasSubstr("Deployment s was put right: metadata.labels")));
}

TEST_F(ReconcilerTest, ASecretThatIsWatchedComesBack) {
  Life life(api_, clock_, {{}, /*secrets=*/true});
  ASSERT_TRUE(life.settle(clock_));
  life.learn(api_);
  const int writes = api_.writes;
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.writes, writes);
  const json secret = api_.objects[kSecretPath]["data"];
  api_.objects.erase(kSecretPath);
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[kSecretPath]["data"], secret);
  EXPECT_THAT(life.events.events,
              Contains(HasSubstr("Secret s-session-key was put right: it was gone")));
}

TEST_F(ReconcilerTest, ChildrenThatWentWithTheirOwnerAreNotMadeAgain) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.reconcile());
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  // Only the children's watches have told of it.
  api_.objects.erase(kServerPath);
  api_.objects.erase(kServicePath);
  life.world.sink(ChildKind::Service).remove("ns", "s");
  const int writes = api_.writes;
  EXPECT_FALSE(life.reconcile());
  EXPECT_EQ(api_.writes, writes);
  EXPECT_FALSE(api_.objects.contains(kServicePath));
}

TEST_F(ReconcilerTest, ANewerOperatorDoesNotRestartPods) {
  {
    Life life(api_, clock_);
    ASSERT_TRUE(life.settle(clock_));
  }
  const int writes = api_.writes;
  {
    Life newer(api_, clock_, {}, "sidecar:2");
    ASSERT_TRUE(newer.reconcile());
    EXPECT_EQ(api_.writes, writes);
  }
  Life at_once(api_, clock_, {}, "sidecar:2", /*keep_sidecar=*/false);
  ASSERT_TRUE(at_once.reconcile());
  const json pod = api_.objects[kDeploymentPath]["spec"]["template"]["spec"];
  EXPECT_EQ(pod["initContainers"][0]["image"], "sidecar:2");
}

TEST_F(ReconcilerTest, StepsOfAStartShareAWriteOfTheStatus) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  api_.store(kDeploymentPath, {{"status", {{"replicas", 1}}}});
  life.learn(api_);
  const int writes = api_.writes;
  const auto next = life.reconcile();
  ASSERT_TRUE(next);
  EXPECT_EQ(api_.writes, writes);
  ASSERT_TRUE(next->after);
  EXPECT_EQ(*next->after, seconds(3));
  api_.store(kDeploymentPath, {{"status", {{"replicas", 3}}}});
  life.learn(api_);
  clock_.advance(seconds(3));
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.writes, writes + 1);
  EXPECT_EQ(api_.objects[kServerPath]["status"]["replicas"], 3);
}

TEST_F(ReconcilerTest, ASpecThatOnlyTheAnswerToAStatusShowsIsCarriedOut) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.reconcile());
  // The watch does not tell of it.
  api_.store(kServerPath, {{"metadata", {{"generation", 2}}},
                           {"spec", {{"source", {{"containerImage", {{"ref", "image:2"}}}}}}}});
  clock_.advance(seconds(1));
  const auto next = life.reconcile();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->after, Duration(0));
  ASSERT_TRUE(life.reconcile());
  const json pod = api_.objects[kDeploymentPath]["spec"]["template"]["spec"];
  EXPECT_EQ(pod["containers"][0]["image"], "image:2");
}

TEST_F(ReconcilerTest, ASecretOfSomebodyElseIsNotTaken) {
  api_.store(kSecretPath,
             {{"metadata", {{"name", "s-session-key"}, {"managedFields", Api::data_of("me")}}},
              {"data", {{"mine", "x"}}}});
  const json before = api_.objects[kSecretPath];
  Life life(api_, clock_);
  EXPECT_FALSE(life.reconcile());
  EXPECT_EQ(accepted()["reason"], "NameTaken");
  EXPECT_EQ(api_.objects[kSecretPath], before);
  EXPECT_FALSE(api_.objects.contains(kDeploymentPath));
}

TEST_F(ReconcilerTest, ReplicasFollowTheAutoscaler) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  // The HPA controller moves them through the scale subresource.
  json scaled = {{"spec", {{"replicas", 7}}},
                 {"metadata",
                  {{"managedFields",
                    {{{"manager", "kube-controller-manager"},
                      {"operation", "Update"},
                      {"subresource", "scale"},
                      {"fieldsV1", {{"f:spec", {{"f:replicas", json::object()}}}}}}}}}}};
  api_.store(kDeploymentPath, scaled);
  life.learn(api_);
  const int writes = api_.writes;
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["replicas"], 7);
  // At most the status is written.
  EXPECT_LE(api_.writes, writes + 1);
  // Without autoscaling the HPA goes and the live count stays.
  api_.store(kServerPath,
             {{"metadata", {{"generation", 2}}}, {"spec", {{"autoscaling", nullptr}}}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_FALSE(api_.objects.contains(kHpaPath));
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["replicas"], 7);
}

TEST_F(ReconcilerTest, ARecommendationIsStoredBeforeAnythingIsSaidOfIt) {
  json rule = {{"name", "busy"},      {"metric", "mcp_requests_in_flight"},
               {"operator", ">"},     {"threshold", "5"},
               {"action", "ScaleUp"}, {"amount", {{"pods", 2}}},
               {"window", "10s"},     {"cooldown", "10s"}};
  api_.store(kServerPath, {{"spec", {{"autoscaling", {{"rules", {rule}}}}}}});
  Life life(api_, clock_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[kServerPath]["status"]["scaling"]["recommendedReplicas"], 3);
  const auto server = life.world.servers.get("ns/s")->server;
  for (int i = 0; i < 60; ++i) {
    clock_.advance(seconds(1));
    Tick tick;
    tick.measured = {{"mcp_requests_in_flight", "", scaling::Sample::of(9)}};
    life.scalers.tick(server, std::move(tick), {3, {.wanted = 3, .ready = 3}}, clock_.wall());
  }
  api_.fail_at = api_.writes + 1;
  EXPECT_FALSE(life.reconcile());
  EXPECT_THAT(life.events.events, IsEmpty());
  ASSERT_TRUE(life.reconcile());
  const json scaling = api_.objects[kServerPath]["status"]["scaling"];
  EXPECT_EQ(scaling["recommendedReplicas"], 5);
  EXPECT_EQ(scaling["lastDecision"]["rule"], "busy");
  EXPECT_THAT(life.events.events, Contains(HasSubstr("ScaledUp: Threshold exceeded: ")));
}

}  // namespace
}  // namespace mcpfleet::op
