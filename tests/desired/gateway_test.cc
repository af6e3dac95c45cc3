#include "desired/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "desired/gateway_status.h"
#include "desired/reasons.h"
#include "servers.h"

namespace mcpfleet::desired {
namespace {

using fleet::ConditionStatus;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const WallTime kNow{seconds(1'767'225'600)};

fleet::MCPGateway gateway_with(std::string_view spec) {
  json object = json::parse(
      R"({"metadata": {"name": "main", "namespace": "tools", "uid": "g-1", "generation": 3}})");
  object["spec"] = json::parse(spec);
  auto gateway = fleet::decode_gateway(object.dump());
  EXPECT_TRUE(gateway) << gateway.error().message;
  return gateway.value_or(fleet::MCPGateway{});
}

GatewayContext gateway_context() {
  return {.image = "localhost/mcp-gateway:1",
          .pull_policy = "IfNotPresent",
          .role = "mcp-gateway",
          .all_namespaces = true,
          .session_key = std::string(32, 'b'),
          .previous_session_key = std::string(32, 'a'),
          .next_session_key = std::string(32, 'c')};
}

Desired built(std::string_view spec) {
  return build_gateway(gateway_with(spec), gateway_context());
}

json pod(std::string_view spec) {
  return find(built(spec), "Deployment")["spec"]["template"]["spec"];
}

std::vector<std::string> kinds(const std::vector<Object>& objects) {
  std::vector<std::string> result;
  for (const auto& object : objects) result.push_back(object.kind);
  return result;
}

TEST(GatewayTest, OwnsTheseObjects) {
  const auto desired = built("{}");
  EXPECT_FALSE(desired.refusal);
  EXPECT_THAT(kinds(desired.objects),
              ElementsAre("ServiceAccount", "Secret", "Service", "RoleBinding", "Deployment",
                          "PodDisruptionBudget"));
  EXPECT_THAT(kinds(desired.unwanted), ElementsAre("ClusterRoleBinding"));
  for (const auto& object : desired.objects) {
    const json body = json::parse(object.body);
    EXPECT_EQ(body["metadata"]["ownerReferences"], json::parse(R"([{
        "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPGateway", "name": "main", "uid": "g-1",
        "controller": true, "blockOwnerDeletion": true}])"));
    EXPECT_EQ(body["metadata"]["labels"]["mcpfleet.dev/gateway"], "main");
    EXPECT_EQ(body["metadata"]["labels"]["app.kubernetes.io/managed-by"], "mcpfleet");
  }
  EXPECT_EQ(desired.objects[3].path,
            "/apis/rbac.authorization.k8s.io/v1/namespaces/tools/rolebindings/main");
  EXPECT_EQ(desired.unwanted[0].path,
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/mcpfleet:gateway:tools:main");
}

TEST(GatewayTest, PodMonitorOnlyWhereItsKindExists) {
  EXPECT_EQ(find(built("{}"), "PodMonitor"), nullptr);
  auto context = gateway_context();
  context.pod_monitor = true;
  const auto with = build_gateway(gateway_with("{}"), context);
  EXPECT_EQ(find(with, "PodMonitor")["spec"], json::parse(R"({
      "selector": {"matchLabels": {"mcpfleet.dev/gateway": "main"}},
      "podMetricsEndpoints": [{"port": "metrics", "path": "/metrics", "honorLabels": true}]})"));
  EXPECT_EQ(with.objects.back().path,
            "/apis/monitoring.coreos.com/v1/namespaces/tools/podmonitors/main");
}

TEST(GatewayTest, TheContainerIsRestricted) {
  const json spec = pod("{}");
  ASSERT_EQ(spec["containers"].size(), 1U);
  const json& container = spec["containers"][0];
  EXPECT_EQ(container["securityContext"], json::parse(R"({
      "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
      "readOnlyRootFilesystem": true, "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
      "seccompProfile": {"type": "RuntimeDefault"}})"));
  EXPECT_EQ(container["image"], "localhost/mcp-gateway:1");
  EXPECT_EQ(container["imagePullPolicy"], "IfNotPresent");
  EXPECT_EQ(container["readinessProbe"]["httpGet"],
            json::parse(R"({"path": "/ready", "port": "metrics"})"));
  EXPECT_EQ(container["livenessProbe"]["httpGet"],
            json::parse(R"({"path": "/live", "port": "metrics"})"));
  EXPECT_EQ(spec["serviceAccountName"], "main");
  EXPECT_EQ(spec["automountServiceAccountToken"], true);
  EXPECT_EQ(spec["terminationGracePeriodSeconds"], 45);
  EXPECT_EQ(spec["topologySpreadConstraints"].size(), 2U);
}

TEST(GatewayTest, ItsCommandNamesIt) {
  EXPECT_THAT(pod("{}")["containers"][0]["command"].get<std::vector<std::string>>(),
              ElementsAre("/mcp-gateway", "--gateway", "tools/main", "--drain-timeout", "30s",
                          "--session-key-file", "/etc/mcpfleet/session/key"));
}

TEST(GatewayTest, WithTls) {
  const auto desired = built(R"({"tls": {"secretName": "cert"}, "drainTimeout": "2m"})");
  const json spec = find(desired, "Deployment")["spec"]["template"]["spec"];
  EXPECT_EQ(spec["terminationGracePeriodSeconds"], 135);
  EXPECT_THAT(spec["containers"][0]["command"].get<std::vector<std::string>>(),
              testing::IsSupersetOf({"--tls-cert-file", "/etc/mcpfleet/tls/tls.crt",
                                     "--tls-key-file", "/etc/mcpfleet/tls/tls.key"}));
  EXPECT_EQ(spec["volumes"][1]["secret"]["secretName"], "cert");
  EXPECT_EQ(find(desired, "Service")["spec"]["ports"][0]["port"], 443);
  EXPECT_EQ(find(desired, "Service")["spec"]["ports"][0]["appProtocol"], "https");
  EXPECT_EQ(gateway_url(gateway_with(R"({"tls": {"secretName": "cert"}})")),
            "https://main.tools.svc");
}

TEST(GatewayTest, TheService) {
  const json service = find(built(R"({"service": {"type": "LoadBalancer", "port": 8080,
      "annotations": {"example.com/internal": "true"}}})"),
                            "Service");
  EXPECT_EQ(service["spec"], json::parse(R"({"type": "LoadBalancer",
      "selector": {"mcpfleet.dev/gateway": "main"},
      "ports": [{"name": "mcp", "port": 8080, "protocol": "TCP", "targetPort": "mcp",
                 "appProtocol": "http"}]})"));
  EXPECT_EQ(service["metadata"]["annotations"], json::parse(R"({"example.com/internal": "true"})"));
  EXPECT_EQ(gateway_url(gateway_with(R"({"service": {"port": 8080}})")),
            "http://main.tools.svc:8080");
}

TEST(GatewayTest, TheSecretHasTheKeysAroundTheRevision) {
  const json secret = find(built("{}"), "Secret");
  EXPECT_EQ(secret["metadata"]["name"], "main-gateway-keys");
  EXPECT_EQ(secret["data"]["previous"], to_base64(std::string(32, 'a')));
  EXPECT_EQ(secret["data"]["key"], to_base64(std::string(32, 'b')));
  EXPECT_EQ(secret["data"]["next"], to_base64(std::string(32, 'c')));
  auto first = gateway_context();
  first.previous_session_key.clear();
  EXPECT_FALSE(
      find(build_gateway(gateway_with("{}"), first), "Secret")["data"].contains("previous"));
}

TEST(GatewayTest, ABindingToTheRoleOfGateways) {
  const json want =
      json::parse(R"([{"kind": "ServiceAccount", "name": "main", "namespace": "tools"}])");
  const json binding = find(built("{}"), "RoleBinding");
  EXPECT_EQ(binding["roleRef"], json::parse(R"({"apiGroup": "rbac.authorization.k8s.io",
      "kind": "ClusterRole", "name": "mcp-gateway"})"));
  EXPECT_EQ(binding["subjects"], want);
  const auto all = built(R"({"namespaces": {"from": "All"}})");
  EXPECT_TRUE(unwanted(all, "RoleBinding"));
  const json of_cluster = find(all, "ClusterRoleBinding");
  EXPECT_EQ(of_cluster["roleRef"], binding["roleRef"]);
  EXPECT_EQ(of_cluster["subjects"], want);
  EXPECT_EQ(of_cluster["metadata"]["annotations"]["mcpfleet.dev/gateway-uid"], "g-1");
  EXPECT_FALSE(of_cluster["metadata"].contains("namespace"));
  EXPECT_FALSE(of_cluster["metadata"].contains("ownerReferences"));
}

TEST(GatewayTest, AllNamespacesWhereThatIsNotAllowed) {
  auto context = gateway_context();
  context.all_namespaces = false;
  const auto refused = build_gateway(gateway_with(R"({"namespaces": {"from": "All"}})"), context);
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->reason, kNamespacesNotAllowed);
  EXPECT_THAT(refused.refusal->message, StartsWith("spec.namespaces.from must be Same"));
  EXPECT_TRUE(refused.objects.empty());
  const auto same = build_gateway(gateway_with("{}"), context);
  EXPECT_FALSE(same.refusal);
  EXPECT_TRUE(same.unwanted.empty()) << "no right to delete what is of the cluster";
}

TEST(GatewayTest, NamesOfClusterRoleBindings) {
  EXPECT_EQ(gateway_of_cluster_binding(cluster_binding_name("tools", "main")), "tools/main");
  for (const char* name : {"mcp-operator", "mcpfleet:gateway:", "mcpfleet:gateway:x", ""})
    EXPECT_EQ(gateway_of_cluster_binding(name), std::nullopt) << name;
}

TEST(GatewayTest, AnOverlayIsLaidOverThePodTemplate) {
  const json spec = pod(R"({"podTemplate": {"metadata": {"labels": {"team": "x"}}, "spec": {
      "nodeSelector": {"disk": "ssd"}, "containers": [
        {"name": "gateway", "env": [{"name": "A", "value": "b"}]}, {"name": "log", "image": "l:1"}]}}})");
  EXPECT_EQ(spec["nodeSelector"]["disk"], "ssd");
  EXPECT_EQ(spec["containers"].size(), 2U);
  EXPECT_EQ(container_named(spec["containers"], "gateway")["env"].size(), 4U);
}

struct Refused {
  const char* overlay;
  const char* want;  // behind "spec.podTemplate"
};

constexpr Refused kBroken[] = {
    {R"({"metadata": {"labels": {"mcpfleet.dev/gateway": "x"}}})",
     ".metadata.labels must leave mcpfleet.dev/gateway as it is"},
    {R"({"metadata": {"annotations": {"mcpfleet.dev/metrics-port": "1"}}})",
     ".metadata.annotations must leave mcpfleet.dev/metrics-port as it is"},
    {R"({"spec": {"serviceAccountName": "x"}})", ".spec must leave serviceAccountName as it is"},
    {R"({"spec": {"automountServiceAccountToken": false}})",
     ".spec must leave automountServiceAccountToken as it is"},
    {R"({"spec": {"volumes": [{"name": "session-keys", "$patch": "delete"}]}})",
     ".spec.volumes must leave session-keys as it is"},
    {R"({"spec": {"volumes": [{"name": "tls", "emptyDir": {}}]}})",
     ".spec.volumes must leave tls as it is"},
    {R"({"spec": {"containers": [{"name": "gateway", "$patch": "delete"}]}})",
     ".spec.containers must not remove the container gateway"},
    {R"({"spec": {"containers": [{"name": "gateway", "image": "x"}]}})",
     ".spec.containers must leave image of the container gateway"},
    {R"({"spec": {"containers": [{"name": "gateway", "command": ["x"]}]}})",
     ".spec.containers must leave command of the container gateway"},
    {R"({"spec": {"containers": [{"name": "gateway", "args": ["x"]}]}})",
     ".spec.containers must leave args of the container gateway"},
    {R"({"spec": {"containers": [{"name": "gateway", "resources": {"limits": {"cpu": 1}}}]}})",
     ".spec.containers must leave resources of the container gateway as it is, for spec.resources"},
    {R"({"spec": {"containers": [{"name": "gateway", "readinessProbe": null}]}})",
     ".spec.containers must leave readinessProbe of the container gateway"},
    {R"({"spec": {"containers": [{"name": "gateway", "env": [{"name": "POD_IP", "value": "x"}]}]}})",
     ".spec.containers must leave env \"POD_IP\" of the container gateway"},
    {R"({"spec": {"containers": [{"name": "gateway", "volumeMounts": null}]}})",
     ".spec.containers must leave volumeMounts \"/etc/mcpfleet/session\" of the container gateway"},
    {R"({"spec": {"containers": [{"name": "log", "ports": [{"containerPort": 19080}]}]}})",
     ".spec.containers: the container log must not have a port 19080 or 19090, nor one named mcp "
     "or "
     "metrics: they belong to the gateway"},
    {R"({"spec": {"terminationGracePeriodSeconds": 5}})",
     ".spec.terminationGracePeriodSeconds must be at least 45: spec.drainTimeout"},
};

TEST(GatewayTest, WhatTheProductNeedsStays) {
  for (const auto& test : kBroken) {
    const auto desired = built(std::string(R"({"tls": {"secretName": "cert"}, "podTemplate": )") +
                               test.overlay + "}");
    ASSERT_TRUE(desired.refusal) << test.overlay;
    EXPECT_EQ(desired.refusal->reason, kInvalid);
    EXPECT_THAT(desired.refusal->message, StartsWith(std::string("spec.podTemplate") + test.want));
    EXPECT_TRUE(desired.objects.empty());
    EXPECT_TRUE(desired.unwanted.empty()) << "what exists is left alone";
  }
}

ObservedGateway observed(int spec, int up) {
  ObservedGateway result;
  ObservedDeployment deployment;
  deployment.spec_replicas = deployment.replicas = spec;
  deployment.updated_replicas = deployment.ready_replicas = deployment.available_replicas = up;
  result.deployment = deployment;
  result.servers = 7;
  return result;
}

// "True Serving: 2 of 2 replicas are ready"
std::string said(const fleet::GatewayStatus& status, std::string_view type) {
  const auto* condition = fleet::find_condition(status.conditions, type);
  if (condition == nullptr) return "absent";
  const char* const names[] = {"True", "False", "Unknown"};
  return std::string(names[static_cast<int>(condition->status)]) + " " + condition->reason + ": " +
         condition->message;
}

TEST(GatewayStatusTest, AHealthyGateway) {
  const auto status = build_gateway_status(gateway_with("{}"), observed(2, 2), kNow);
  EXPECT_EQ(status.observed_generation, 3);
  EXPECT_EQ(status.replicas, 2);
  EXPECT_EQ(status.ready_replicas, 2);
  EXPECT_EQ(status.selector, "mcpfleet.dev/gateway=main");
  EXPECT_EQ(status.address_url, "http://main.tools.svc");
  EXPECT_EQ(status.servers, 7);
  ASSERT_EQ(status.conditions.size(), 4U);
  EXPECT_THAT(said(status, kAccepted), StartsWith("True Applied: "));
  EXPECT_EQ(said(status, kAvailable), "True ReplicasAvailable: 2 of 2 replicas are available");
  EXPECT_EQ(said(status, kProgressing), "False Complete: 2 of 2 replicas run the present spec");
  EXPECT_EQ(said(status, kReady), "True Serving: 2 of 2 replicas are ready");
  for (const auto& condition : status.conditions) {
    EXPECT_EQ(condition.observed_generation, 3);
    EXPECT_EQ(condition.last_transition, kNow);
  }
}

TEST(GatewayStatusTest, WhatIsWrongIsSaid) {
  const auto gateway = gateway_with("{}");
  EXPECT_EQ(said(build_gateway_status(gateway, observed(2, 1), kNow), kReady),
            "False Starting: 1 of 2 replicas are ready");
  EXPECT_EQ(said(build_gateway_status(gateway, observed(0, 0), kNow), kReady),
            "False NoReplicaAvailable: scaled to 0 replicas");
  EXPECT_EQ(said(build_gateway_status(gateway, {}, kNow), kReady),
            "False NoReplicaAvailable: the Deployment does not exist yet");
  auto troubled = observed(2, 0);
  ObservedPod pod;
  pod.name = "main-x";
  pod.problem = PodProblem{std::string(kImagePullFailed), "no such image"};
  troubled.pods = {pod};
  EXPECT_EQ(said(build_gateway_status(gateway, troubled, kNow), kReady),
            "False ImagePullFailed: pod main-x: no such image");
  auto refused = observed(2, 2);
  refused.refusal = Refusal{std::string(desired::kRefused), "no"};
  const auto status = build_gateway_status(gateway, refused, kNow);
  EXPECT_EQ(said(status, kAccepted), "False Refused: no");
  EXPECT_EQ(said(status, kReady), "False Refused: no");
}

TEST(GatewayStatusTest, AMissingCertificateIsNamed) {
  const auto gateway = gateway_with(R"({"tls": {"secretName": "front-tls"}})");
  const auto said_where = [&](std::optional<bool> exists, std::string_view type) {
    auto starting = observed(2, 0);
    starting.tls_secret_exists = exists;
    return said(build_gateway_status(gateway, starting, kNow), type);
  };
  const std::string missing =
      "False SecretNotFound: Secret front-tls does not exist, and spec.tls.secretName needs it";
  EXPECT_EQ(said_where(false, kAccepted), missing);
  EXPECT_EQ(said_where(false, kReady), missing);
  EXPECT_EQ(said_where(true, kReady), "False Starting: 0 of 2 replicas are ready");
  EXPECT_EQ(said_where({}, kReady),
            "False Starting: 0 of 2 replicas are ready; pods wait for Secret front-tls of "
            "spec.tls.secretName where it does not exist, and this operator may not look");
  EXPECT_THAT(said_where({}, kAccepted), StartsWith("True Applied: "));
  EXPECT_EQ(said(build_gateway_status(gateway, observed(2, 2), kNow), kReady),
            "True Serving: 2 of 2 replicas are ready");
}

TEST(GatewayStatusTest, AnUnreadableSpecKeepsWhatWasSaid) {
  auto gateway = gateway_with("{}");
  gateway.status.address_url = "https://main.tools.svc";
  gateway.status.servers = 4;
  auto refused = observed(2, 2);
  refused.refusal = Refusal{std::string(kInvalid), "spec.x is wrong"};
  const auto status = build_gateway_status(gateway, refused, kNow);
  EXPECT_EQ(status.address_url, "https://main.tools.svc");
  EXPECT_EQ(status.servers, 4);
  EXPECT_EQ(said(status, kReady), "False Invalid: spec.x is wrong");
}

TEST(GatewayStatusTest, OnlyTheNumberOfServersIsANumber) {
  const auto gateway = gateway_with("{}");
  const auto status = build_gateway_status(gateway, observed(2, 2), kNow);
  EXPECT_EQ(compare(status, status), Change::None);
  auto other = status;
  other.servers = 8;
  EXPECT_EQ(compare(status, other), Change::Numbers);
  other = status;
  other.ready_replicas = 1;
  EXPECT_EQ(compare(status, other), Change::Material);
}

TEST(GatewayStatusTest, ReadyWaitsForTheDeploymentsController) {
  auto gateway = gateway_with("{}");
  gateway.status = build_gateway_status(gateway, observed(2, 2), kNow);
  gateway.generation = 4;
  auto behind = observed(3, 2);
  behind.deployment->generation = 2;
  behind.deployment->observed_generation = 1;
  const auto status = build_gateway_status(gateway, behind, kNow + seconds(5));
  EXPECT_EQ(said(status, kReady), "True Serving: 2 of 2 replicas are ready");
  EXPECT_EQ(fleet::find_condition(status.conditions, kReady)->observed_generation, 3);
}

}  // namespace
}  // namespace mcpfleet::desired
