#include "operator/gateway_reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/base64.h"
#include "kube/paths.h"
#include "tests/operator/fake_api.h"

namespace mcpfleet::op {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPath = "/apis/mcpfleet.dev/v1alpha1/namespaces/ns/mcpgateways/g";
constexpr const char* kDeploymentPath = "/apis/apps/v1/namespaces/ns/deployments/g";
constexpr const char* kServicePath = "/api/v1/namespaces/ns/services/g";
constexpr const char* kSecretPath = "/api/v1/namespaces/ns/secrets/g-gateway-keys";
constexpr const char* kAccountPath = "/api/v1/namespaces/ns/serviceaccounts/g";
constexpr const char* kBudgetPath = "/apis/policy/v1/namespaces/ns/poddisruptionbudgets/g";
constexpr const char* kBindingPath =
    "/apis/rbac.authorization.k8s.io/v1/namespaces/ns/rolebindings/g";
constexpr const char* kClusterBindingPath =
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/mcpfleet:gateway:ns:g";

json gateway_object() {
  return {{"apiVersion", "mcpfleet.dev/v1alpha1"},
          {"kind", "MCPGateway"},
          {"metadata", {{"name", "g"}, {"namespace", "ns"}, {"generation", 1}}},
          {"spec", {{"replicas", 2}}}};
}

// One life of the operator: it knows what the API server holds when it begins.
struct Life {
  Life(Api& api, const Clock& clock, WorldOptions watched = {.cluster_bindings = true})
      : world([](const std::string&) {}, std::move(watched)),
        reconciler({api.client, world, events, telemetry, clock}, SessionKeys(std::string(32, 'k')),
                   {"gateway:1", "", "mcp-gateway"}) {
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
    tell(kPath, world.gateways);
    for (const auto& type : kChildTypes) {
      if (!world.watches(type.kind)) continue;
      const char* name = type.kind == ChildKind::Secret               ? "g-gateway-keys"
                         : type.kind == ChildKind::ClusterRoleBinding ? "mcpfleet:gateway:ns:g"
                                                                      : "g";
      tell(kube::object_path(type.api_version, type.namespaced() ? "ns" : "", type.plural, name),
           world.sink(type.kind));
    }
  }
  void learn_server(const std::string& name, const json& labels) {
    const json server = {
        {"metadata",
         {{"name", name}, {"namespace", "ns"}, {"uid", name + "-uid"}, {"labels", labels}}},
        {"spec", {{"source", {{"containerImage", {{"ref", "image:1"}}}}}}}};
    world.servers.upsert(server.dump());
  }
  Result<kube::Next> reconcile() { return reconciler.reconcile("ns/g"); }
  // Long enough for the status to be written, too.
  Result<kube::Next> settle(ManualClock& clock) {
    auto next = reconcile();
    if (!next) return next;
    clock.advance(seconds(1));
    return reconcile();
  }

  World world;
  Recorded events;
  Telemetry telemetry;
  GatewayReconciler reconciler;
};

class GatewayReconcilerTest : public testing::Test {
 protected:
  GatewayReconcilerTest() { api_.store(kPath, gateway_object()); }

  json condition(const std::string& type) {
    for (const auto& condition : api_.objects[kPath]["status"]["conditions"]) {
      if (condition["type"] == type) return condition;
    }
    return {};
  }
  void change(const json& spec) {
    const auto generation = api_.objects[kPath]["metadata"]["generation"].get<int>();
    api_.store(kPath, {{"metadata", {{"generation", generation + 1}}}, {"spec", spec}});
  }
  std::string key_of(const char* entry) {
    return api_.objects[kSecretPath]["data"].value(entry, "");
  }

  ManualClock clock_;
  Api api_;
};

TEST_F(GatewayReconcilerTest, MakesTheChildrenAndSaysSo) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  for (const char* path :
       {kAccountPath, kSecretPath, kServicePath, kBindingPath, kDeploymentPath, kBudgetPath}) {
    ASSERT_TRUE(api_.objects.contains(path)) << path;
    EXPECT_EQ(api_.objects[path]["metadata"]["ownerReferences"][0]["kind"], "MCPGateway") << path;
  }
  EXPECT_EQ(api_.objects.size(), 7U);
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["replicas"], 2);
  const json status = api_.objects[kPath]["status"];
  EXPECT_EQ(status["selector"], "mcpfleet.dev/gateway=g");
  EXPECT_EQ(status["address"]["url"], "http://g.ns.svc");
  EXPECT_EQ(status["observedGeneration"], 1);
  EXPECT_EQ(condition("Accepted")["status"], "True");
  EXPECT_EQ(condition("Ready")["status"], "False");
}

TEST_F(GatewayReconcilerTest, WritesNothingASecondTimeNorAfterARestart) {
  {
    Life life(api_, clock_);
    ASSERT_TRUE(life.settle(clock_));
    const int writes = api_.writes;
    ASSERT_TRUE(life.reconcile());
    life.learn(api_);
    ASSERT_TRUE(life.reconcile());
    EXPECT_EQ(api_.writes, writes);
  }
  const int writes = api_.writes;
  Life next(api_, clock_);
  ASSERT_TRUE(next.settle(clock_));
  EXPECT_EQ(api_.writes, writes);
}

TEST_F(GatewayReconcilerTest, KilledAtAnyWriteTheNextLifeCompletesIt) {
  {
    Life life(api_, clock_);
    ASSERT_TRUE(life.settle(clock_));
  }
  const int writes = api_.writes;
  ASSERT_GT(writes, 6);
  for (int n = 1; n <= writes; ++n) {
    Api broken;
    broken.store(kPath, gateway_object());
    broken.fail_at = n;
    {
      Life life(broken, clock_);
      EXPECT_FALSE(life.settle(clock_)) << n;
    }
    Life next(broken, clock_);
    ASSERT_TRUE(next.settle(clock_)) << n;
    EXPECT_EQ(broken.objects[kDeploymentPath]["spec"], api_.objects[kDeploymentPath]["spec"]) << n;
    EXPECT_EQ(broken.objects[kSecretPath]["data"], api_.objects[kSecretPath]["data"]) << n;
    EXPECT_EQ(broken.objects.size(), api_.objects.size()) << n;
    EXPECT_THAT(next.events.events, IsEmpty()) << n;
  }
}

TEST_F(GatewayReconcilerTest, PutsAnEditRightWithAnEvent) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  const json replicas = api_.objects[kDeploymentPath]["spec"]["replicas"];
  api_.store(kDeploymentPath, {{"spec", {{"replicas", 9}}}});
  api_.store(kBindingPath, {{"subjects", json::array()}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["replicas"], replicas);
  EXPECT_EQ(api_.objects[kBindingPath]["subjects"][0]["name"], "g");
  EXPECT_THAT(life.events.events,
              Contains(HasSubstr("Deployment g was put right: spec.replicas had been changed")));
  EXPECT_THAT(life.events.events, Contains(HasSubstr("RoleBinding g was put right: subjects")));
}

TEST_F(GatewayReconcilerTest, OtherReplicasAreNoDrift) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  change({{"replicas", 5}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["replicas"], 5);
  EXPECT_THAT(life.events.events, IsEmpty());
}

TEST_F(GatewayReconcilerTest, AMissingCertificateIsNamedWhereSecretsMayBeRead) {
  const std::string path = "/api/v1/namespaces/ns/secrets?fieldSelector=metadata.name%3Dfront-tls";
  api_.objects[path] = {{"items", json::array()}};
  change({{"tls", {{"secretName", "front-tls"}}}});
  Life life(api_, clock_, {.secrets = true});
  ASSERT_TRUE(life.settle(clock_));
  EXPECT_EQ(condition("Ready")["reason"], "SecretNotFound");
  EXPECT_THAT(condition("Ready")["message"].get<std::string>(),
              HasSubstr("Secret front-tls does not exist"));
  api_.objects[path]["items"].push_back(json::object());
  ASSERT_TRUE(life.settle(clock_));
  EXPECT_EQ(condition("Ready")["reason"], "Starting");
  Life blind(api_, clock_, {.secrets = false});
  const auto asked = [&] {
    return std::ranges::count(api_.client.calls(), path, &kube::FakeClient::Call::path);
  };
  const auto before = asked();
  ASSERT_TRUE(blind.settle(clock_));
  EXPECT_EQ(asked(), before) << "without the right nobody asks";
}

TEST_F(GatewayReconcilerTest, APodMonitorWhereThereIsSuchAKind) {
  const std::string path = "/apis/monitoring.coreos.com/v1/namespaces/ns/podmonitors/g";
  kube::FakeClient silent;
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  EXPECT_FALSE(api_.objects.contains(path));
  const auto& type = kChildTypes.at(static_cast<std::size_t>(ChildKind::PodMonitor));
  life.world.watch_optional(silent, type, true);
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[path]["spec"]["selector"]["matchLabels"]["mcpfleet.dev/gateway"], "g");
}

TEST_F(GatewayReconcilerTest, KeysFollowTheRevision) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  const std::string first = key_of("key");
  const std::string second = key_of("next");
  EXPECT_EQ(from_base64(first)->size(), 32U);
  EXPECT_EQ(key_of("previous"), "");
  EXPECT_NE(first, second);
  change({{"sessionKeys", {{"revision", 1}}}});
  life.learn(api_);
  const json pods = api_.objects[kDeploymentPath]["spec"]["template"];
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(key_of("previous"), first);
  EXPECT_EQ(key_of("key"), second);
  EXPECT_NE(key_of("next"), second);
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["template"], pods) << "no pod is restarted";
}

TEST_F(GatewayReconcilerTest, ServesAllNamespacesByAClusterRoleBinding) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  change({{"namespaces", {{"from", "All"}}}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_FALSE(api_.objects.contains(kBindingPath));
  ASSERT_TRUE(api_.objects.contains(kClusterBindingPath));
  const json binding = api_.objects[kClusterBindingPath];
  EXPECT_EQ(binding["roleRef"]["name"], "mcp-gateway");
  EXPECT_FALSE(binding["metadata"].contains("ownerReferences"));
  const int writes = api_.writes;
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.writes, writes);
  change({{"namespaces", {{"from", "Same"}}}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_TRUE(api_.objects.contains(kBindingPath));
  EXPECT_FALSE(api_.objects.contains(kClusterBindingPath));
}

TEST_F(GatewayReconcilerTest, AClusterRoleBindingGoesWithItsGatewayAlsoAfterARestart) {
  change({{"namespaces", {{"from", "All"}}}});
  {
    Life life(api_, clock_);
    ASSERT_TRUE(life.settle(clock_));
    // The gateway's watch lags behind: it is there.
    life.learn(api_);
    life.world.gateways.remove("ns", "g");
    EXPECT_FALSE(life.reconcile());
    EXPECT_TRUE(api_.objects.contains(kClusterBindingPath));
  }
  api_.objects.erase(kPath);
  Life next(api_, clock_);
  EXPECT_EQ(next.world.bound_gateways(), std::vector<std::string>{"ns/g"});
  ASSERT_TRUE(next.reconcile());
  EXPECT_FALSE(api_.objects.contains(kClusterBindingPath));
}

TEST_F(GatewayReconcilerTest, AllNamespacesMayBeForbidden) {
  change({{"namespaces", {{"from", "All"}}}});
  Life life(api_, clock_, {.cluster_bindings = false});
  EXPECT_FALSE(life.reconcile());  // it is tried again
  EXPECT_EQ(condition("Accepted")["reason"], "NamespacesNotAllowed");
  EXPECT_EQ(api_.objects.size(), 1U);
  EXPECT_THAT(life.events.events,
              Contains(HasSubstr("NamespacesNotAllowed: spec.namespaces.from must be Same")));
}

TEST_F(GatewayReconcilerTest, AServerOfTheSameNameIsNotTouched) {
  api_.store(
      kDeploymentPath,
      {{"kind", "Deployment"},
       {"metadata",
        {{"name", "g"},
         {"namespace", "ns"},
         {"ownerReferences", {{{"kind", "MCPServer"}, {"uid", "s"}, {"controller", true}}}}}}});
  const json before = api_.objects[kDeploymentPath];
  Life life(api_, clock_);
  EXPECT_FALSE(life.reconcile());
  EXPECT_EQ(condition("Accepted")["reason"], "NameTaken");
  EXPECT_THAT(condition("Accepted")["message"].get<std::string>(),
              HasSubstr("another MCPServer, not by this MCPGateway"));
  EXPECT_EQ(api_.objects[kDeploymentPath], before);
  EXPECT_FALSE(api_.objects.contains(kServicePath));
}

TEST_F(GatewayReconcilerTest, CountsItsServers) {
  change({{"serverSelector", {{"matchLabels", {{"team", "a"}}}}}});
  Life life(api_, clock_);
  life.learn_server("one", {{"team", "a"}});
  life.learn_server("two", {{"team", "b"}});
  ASSERT_TRUE(life.settle(clock_));
  EXPECT_EQ(api_.objects[kPath]["status"]["servers"], 1);
  life.learn_server("three", {{"team", "a"}});
  const auto next = life.reconcile();
  ASSERT_TRUE(next);
  EXPECT_EQ(api_.objects[kPath]["status"]["servers"], 1) << "a number is written seldom";
  EXPECT_LE(*next->after, seconds(10));
  clock_.advance(seconds(30));
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[kPath]["status"]["servers"], 2);
}

TEST_F(GatewayReconcilerTest, ASpecThatCannotBeReadLeavesTheChildren) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.settle(clock_));
  const json deployment = api_.objects[kDeploymentPath];
  change({{"replicas", 1000}});
  life.learn(api_);
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(condition("Accepted")["reason"], "Invalid");
  EXPECT_THAT(condition("Accepted")["message"].get<std::string>(),
              HasSubstr("spec.replicas must be from 0 to 100"));
  EXPECT_EQ(api_.objects[kDeploymentPath], deployment);
  EXPECT_EQ(api_.objects[kPath]["status"]["address"]["url"], "http://g.ns.svc");
}

TEST_F(GatewayReconcilerTest, ASpecThatOnlyTheAnswerToAStatusShowsIsCarriedOut) {
  Life life(api_, clock_);
  ASSERT_TRUE(life.reconcile());
  // The watch does not tell of it.
  change({{"replicas", 4}});
  clock_.advance(seconds(1));
  const auto next = life.reconcile();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->after, Duration(0));
  ASSERT_TRUE(life.reconcile());
  EXPECT_EQ(api_.objects[kDeploymentPath]["spec"]["replicas"], 4);
}

}  // namespace
}  // namespace mcpfleet::op
