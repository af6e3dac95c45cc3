#include "desired/desired.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "servers.h"

namespace mcpfleet::desired {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kHttp =
    R"({"config": {"port": 3001, "path": "/v1", "command": ["node"], "arguments": ["x.js"],
                                             "env": [{"name": "PORT", "value": "3001"}]}})";
constexpr const char* kEveryChild =
    R"({"autoscaling": {}, "disruption": {"maxUnavailable": 1}, "network": {"ingressFrom": []}})";
constexpr const char* kStdio = R"({"transport": {"type": "stdio", "stdio": {"maxProcesses": 7}},
                                   "config": {"command": ["mcp-server-time"], "arguments": ["--local-timezone", "UTC"]},
                                   "sessions": {"drainTimeout": "1500ms", "idleTimeout": "2m"}})";

Context with_service_monitor() {
  Context result = context();
  result.service_monitor = true;
  return result;
}

json pod_of(const char* spec) {
  const json deployment = find(build(server_with(spec), context()), "Deployment");
  return deployment["spec"]["template"];
}

TEST(DesiredTest, ObjectsInTheOrderToApplyThem) {
  const auto desired = build(server_with(kEveryChild), with_service_monitor());
  std::vector<std::string> paths;
  for (const auto& object : desired.objects) paths.push_back(object.path);
  EXPECT_THAT(paths,
              ElementsAre("/api/v1/namespaces/tools/serviceaccounts/time",
                          "/api/v1/namespaces/tools/secrets/time-session-key",
                          "/api/v1/namespaces/tools/services/time",
                          "/apis/networking.k8s.io/v1/namespaces/tools/networkpolicies/time",
                          "/apis/apps/v1/namespaces/tools/deployments/time",
                          "/apis/policy/v1/namespaces/tools/poddisruptionbudgets/time",
                          "/apis/autoscaling/v2/namespaces/tools/horizontalpodautoscalers/time",
                          "/apis/monitoring.coreos.com/v1/namespaces/tools/servicemonitors/time"));
  EXPECT_THAT(desired.unwanted, IsEmpty());
  for (const auto& object : desired.objects) {
    const json body = json::parse(object.body);
    EXPECT_EQ(body["apiVersion"], object.api_version);
    EXPECT_EQ(body["kind"], object.kind);
    EXPECT_EQ(body["metadata"]["name"], object.name);
    EXPECT_TRUE(object.path.ends_with("/" + object.name));
    EXPECT_EQ(body["metadata"]["namespace"], "tools");
    EXPECT_EQ(body["metadata"]["labels"], json::parse(R"({"app.kubernetes.io/name": "mcp-server",
        "app.kubernetes.io/instance": "time", "app.kubernetes.io/managed-by": "mcpfleet", "mcpfleet.dev/server": "time"})"));
    EXPECT_EQ(body["metadata"]["ownerReferences"],
              json::parse(R"([{"apiVersion": "mcpfleet.dev/v1alpha1",
        "kind": "MCPServer", "name": "time", "uid": "u-1", "controller": true, "blockOwnerDeletion": true}])"));
  }
}

TEST(DesiredTest, WhatIsNotAskedForIsUnwanted) {
  std::vector<std::string> paths;
  for (const auto& object : build(server_with("{}"), context()).unwanted) {
    paths.push_back(object.path);
    EXPECT_EQ(object.body, "");
  }
  EXPECT_THAT(paths,
              ElementsAre("/apis/networking.k8s.io/v1/namespaces/tools/networkpolicies/time",
                          "/apis/policy/v1/namespaces/tools/poddisruptionbudgets/time",
                          "/apis/autoscaling/v2/namespaces/tools/horizontalpodautoscalers/time"));
}

TEST(DesiredTest, TheSameInputGivesTheSameBytes) {
  const auto first = build(server_with(kStdio), context());
  const auto second = build(server_with(kStdio), context());
  ASSERT_EQ(first.objects.size(), second.objects.size());
  for (std::size_t i = 0; i < first.objects.size(); ++i)
    EXPECT_EQ(first.objects[i].body, second.objects[i].body);
}

TEST(DesiredTest, TheSecretCarriesTheKeyInBase64) {
  const json secret = find(build(server_with("{}"), context()), "Secret");
  EXPECT_EQ(secret["data"]["key"], "AAH+/2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=");
  for (const auto& [key, want] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}}) {
    Context other = context();
    other.session_key = key;
    EXPECT_EQ(find(build(server_with("{}"), other), "Secret")["data"]["key"], want);
  }
}

TEST(DesiredTest, TheService) {
  const json service = find(build(server_with("{}"), context()), "Service");
  EXPECT_EQ(service["spec"]["selector"], json::parse(R"({"mcpfleet.dev/server": "time"})"));
  EXPECT_EQ(
      service["spec"]["ports"],
      json::parse(
          R"([{"name": "mcp", "port": 80, "protocol": "TCP", "targetPort": "mcp", "appProtocol": "http"},
              {"name": "metrics", "port": 19090, "protocol": "TCP", "targetPort": "metrics"}])"));
}

TEST(DesiredTest, TheDeployment) {
  const json deployment = find(build(server_with(kHttp), context()), "Deployment");
  const json& spec = deployment["spec"];
  EXPECT_EQ(spec["replicas"], 3);
  EXPECT_EQ(spec["selector"]["matchLabels"], json::parse(R"({"mcpfleet.dev/server": "time"})"));
  EXPECT_EQ(spec["strategy"]["rollingUpdate"],
            json::parse(R"({"maxUnavailable": 0, "maxSurge": "25%"})"));
  EXPECT_EQ(deployment["metadata"]["annotations"]["mcpfleet.dev/runtime-replicas"], "1");
  Context other = context();
  other.replicas.reset();
  EXPECT_FALSE(find(build(server_with(kHttp), other), "Deployment")["spec"].contains("replicas"));
}

TEST(DesiredTest, ThePodInBothForms) {
  for (const char* spec : {kHttp, kStdio}) {
    const json pod = pod_of(spec);
    EXPECT_EQ(pod["metadata"]["labels"]["mcpfleet.dev/server"], "time");
    EXPECT_EQ(pod["metadata"]["annotations"], json::parse(R"({"mcpfleet.dev/metrics-port": "19090",
        "mcpfleet.dev/metrics-path": "/metrics", "prometheus.io/scrape": "true", "prometheus.io/port": "19090",
        "prometheus.io/path": "/metrics"})"));
    EXPECT_EQ(pod["spec"]["serviceAccountName"], "time");
    EXPECT_EQ(pod["spec"]["automountServiceAccountToken"], false);
    EXPECT_EQ(pod["spec"]["enableServiceLinks"], false);
    EXPECT_EQ(pod["spec"]["volumes"],
              json::parse(R"([{"name": "mcpfleet", "emptyDir": {"sizeLimit": "64Mi"}},
        {"name": "session-key", "secret": {"secretName": "time-session-key", "defaultMode": 292}}])"));
    const json install = container_named(pod["spec"]["initContainers"], "mcp-sidecar-install");
    EXPECT_EQ(install["image"], "localhost/mcp-sidecar:1");
    EXPECT_EQ(install["imagePullPolicy"], "IfNotPresent");
    EXPECT_EQ(install["command"],
              json::parse(R"(["/mcp-sidecar", "install", "/mcpfleet/mcp-sidecar"])"));
    EXPECT_EQ(install["securityContext"], json::parse(R"({"allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true, "runAsNonRoot": true, "runAsUser": 65532,
        "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}})"));
  }
}

TEST(DesiredTest, StreamableHttpHasANativeSidecarAndAnUntouchedServer) {
  const json spec = pod_of(kHttp)["spec"];
  EXPECT_EQ(spec["terminationGracePeriodSeconds"], 45);
  ASSERT_EQ(spec["initContainers"].size(), 2U);
  const json& sidecar = spec["initContainers"][1];
  EXPECT_EQ(sidecar["name"], "mcp-sidecar");
  EXPECT_EQ(sidecar["restartPolicy"], "Always");
  EXPECT_EQ(sidecar["command"],
            json::parse(R"(["/mcp-sidecar", "serve", "--path", "/v1", "--idle-timeout", "1800s",
      "--drain-timeout", "30s", "--upstream", "http://127.0.0.1:3001"])"));
  EXPECT_EQ(sidecar["readinessProbe"]["httpGet"],
            json::parse(R"({"path": "/ready", "port": "metrics"})"));
  EXPECT_EQ(sidecar["readinessProbe"]["periodSeconds"], 2);
  EXPECT_FALSE(sidecar.contains("startupProbe"));
  EXPECT_EQ(sidecar["ports"],
            json::parse(R"([{"name": "mcp", "containerPort": 19080, "protocol": "TCP"},
      {"name": "metrics", "containerPort": 19090, "protocol": "TCP"}])"));
  EXPECT_EQ(sidecar["volumeMounts"], json::parse(R"([{"name": "mcpfleet", "mountPath": "/mcpfleet"},
      {"name": "session-key", "mountPath": "/etc/mcpfleet/session", "readOnly": true}])"));
  EXPECT_EQ(sidecar["resources"]["requests"], json::parse(R"({"cpu": "10m", "memory": "16Mi"})"));

  ASSERT_EQ(spec["containers"].size(), 1U);
  EXPECT_EQ(spec["containers"][0], json::parse(R"({"name": "server", "image": "localhost/time:1",
      "command": ["node"], "args": ["x.js"], "env": [{"name": "PORT", "value": "3001"}],
      "terminationMessagePolicy": "FallbackToLogsOnError",
      "volumeMounts": [{"name": "mcpfleet", "mountPath": "/mcpfleet"}],
      "lifecycle": {"preStop": {"exec": {"command":
        ["/mcpfleet/mcp-sidecar", "drain", "--socket", "/mcpfleet/drain.sock", "--timeout", "30s"]}}}})"));
}

TEST(DesiredTest, TheSidecarIsToldWhatIsNotItsDefault) {
  const json stdio =
      pod_of(R"({"transport": {"type": "stdio", "allowedOrigins": ["https://a.b", "https://c.d"],
      "stdio": {"mode": "pooled", "poolSize": 3, "hangTimeout": "0s", "maxProcessMemory": "1Gi"}},
      "config": {"command": ["x"]}})")["spec"]["containers"][0]["command"];
  const auto words = stdio.get<std::vector<std::string>>();
  const auto first = std::ranges::find(words, "--stdio-mode");
  EXPECT_EQ(
      std::vector<std::string>(first, words.end()),
      (std::vector<std::string>{"--stdio-mode", "pooled", "--pool-size", "3", "--hang-timeout",
                                "0s", "--max-process-memory", "1073741824", "--allowed-origins",
                                "https://a.b,https://c.d", "--stdio", "--", "x"}));
  const json http =
      pod_of(R"({"transport": {"type": "streamable-http", "allowedOrigins": ["*"]}})");
  EXPECT_THAT(http.dump(), testing::HasSubstr(R"("--allowed-origins","*")"));
}

TEST(DesiredTest, TheSidecarIsToldOfTheOldTransport) {
  const auto command_of = [](const char* spec) {
    const json pod = pod_of(spec)["spec"];
    EXPECT_FALSE(pod["containers"][0].contains("command")) << "the image runs as it is";
    const auto words = pod["initContainers"][1]["command"].get<std::vector<std::string>>();
    return std::vector<std::string>(words.begin() + 8, words.end());
  };
  EXPECT_EQ(command_of(R"({"transport": {"type": "sse"}, "config": {"port": 8000}})"),
            (std::vector<std::string>{"--sse-upstream", "http://127.0.0.1:8000/sse"}));
  EXPECT_EQ(
      command_of(R"({"transport": {"type": "sse", "sse": {"path": "/events",
                "mode": "shared", "maxConnections": 5, "hangTimeout": "30s"}}})"),
      (std::vector<std::string>{"--sse-mode", "shared", "--max-connections", "5", "--hang-timeout",
                                "30s", "--sse-upstream", "http://127.0.0.1:8080/events"}));
}

TEST(DesiredTest, StdioRunsTheSidecarInTheUsersImage) {
  const json spec = pod_of(kStdio)["spec"];
  EXPECT_EQ(spec["terminationGracePeriodSeconds"], 17) << "1.5 s, rounded up, and 15";
  EXPECT_EQ(spec["initContainers"].size(), 1U);
  const json& server = spec["containers"][0];
  EXPECT_EQ(server["image"], "localhost/time:1");
  EXPECT_EQ(server["command"],
            json::parse(R"(["/mcpfleet/mcp-sidecar", "serve", "--path", "/mcp", "--idle-timeout",
      "120s", "--drain-timeout", "1500ms", "--max-processes", "7", "--stdio", "--", "mcp-server-time",
      "--local-timezone", "UTC"])"));
  EXPECT_FALSE(server.contains("args"));
  EXPECT_FALSE(server.contains("securityContext")) << "an image that needs root must work";
  EXPECT_TRUE(server.contains("readinessProbe"));
  EXPECT_EQ(server["ports"].size(), 2U);
  EXPECT_EQ(server["volumeMounts"].size(), 2U);
}

TEST(DesiredTest, TheSidecarKnowsItself) {
  const json want = json::parse(
      R"([{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
      {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
      {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
      {"name": "MCPFLEET_SERVER", "value": "time"}])");
  EXPECT_EQ(pod_of(kHttp)["spec"]["initContainers"][1]["env"], want);
  EXPECT_EQ(pod_of(kStdio)["spec"]["containers"][0]["env"], want);
}

TEST(DesiredTest, OurVariablesWinInASharedContainerAndANoteSaysSo) {
  const auto desired =
      build(server_with(R"({"transport": {"type": "stdio"}, "config": {"command": ["x"],
      "env": [{"name": "POD_IP", "value": "1.2.3.4"}, {"name": "TZ", "value": "UTC"}]}})"),
            context());
  const json env = find(desired, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"];
  EXPECT_EQ(env.size(), 5U);
  EXPECT_EQ(env[4]["name"], "TZ");
  EXPECT_THAT(desired.notes, ElementsAre(HasSubstr("spec.config.env: POD_IP is left out")));
}

TEST(DesiredTest, WhatTheAuthorGaveIsPassedOn) {
  const json spec = pod_of(R"({
      "source": {"containerImage": {"ref": "r", "pullPolicy": "Always", "imagePullSecrets": [{"name": "pull"}]}},
      "config": {"envFrom": [{"secretRef": {"name": "tokens"}}]},
      "runtime": {"resources": {"requests": {"cpu": "50m"}}}})")["spec"];
  EXPECT_EQ(spec["imagePullSecrets"], json::parse(R"([{"name": "pull"}])"));
  const json& server = spec["containers"][0];
  EXPECT_EQ(server["imagePullPolicy"], "Always");
  EXPECT_EQ(server["envFrom"], json::parse(R"([{"secretRef": {"name": "tokens"}}])"));
  EXPECT_EQ(server["resources"], json::parse(R"({"requests": {"cpu": "50m"}})"));
  EXPECT_FALSE(server.contains("command"));
  EXPECT_FALSE(server.contains("env"));
}

TEST(DesiredTest, StorageIsMountedIntoTheServer) {
  const json spec = pod_of(R"({"config": {"storage": [
      {"name": "keys", "mountPath": "/keys", "readOnly": true, "secret": {"name": "api-keys", "optional": true,
        "items": [{"key": "a", "path": "a.pem"}]}},
      {"name": "rules", "mountPath": "/rules", "configMap": {"name": "rules"}},
      {"name": "data", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "data-0"}},
      {"name": "tmp", "mountPath": "/tmp", "emptyDir": {"sizeLimit": "1Gi"}},
      {"name": "cache", "mountPath": "/cache", "emptyDir": {}}]}})")["spec"];
  EXPECT_EQ(json(std::vector<json>(spec["volumes"].begin() + 2, spec["volumes"].end())),
            json::parse(R"([
      {"name": "keys", "secret": {"secretName": "api-keys", "optional": true, "items": [{"key": "a", "path": "a.pem"}]}},
      {"name": "rules", "configMap": {"name": "rules"}},
      {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
      {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
      {"name": "cache", "emptyDir": {}}])"));
  EXPECT_EQ(spec["containers"][0]["volumeMounts"], json::parse(R"([
      {"name": "mcpfleet", "mountPath": "/mcpfleet"}, {"name": "keys", "mountPath": "/keys", "readOnly": true},
      {"name": "rules", "mountPath": "/rules"}, {"name": "data", "mountPath": "/data"},
      {"name": "tmp", "mountPath": "/tmp"}, {"name": "cache", "mountPath": "/cache"}])"));
  EXPECT_EQ(spec["initContainers"][1]["volumeMounts"].size(), 2U);
}

TEST(DesiredTest, AnotherFingerprintRollsThePods) {
  const auto server = server_with("{}");
  const auto annotations = [&](const char* fingerprint) {
    Context with = context();
    with.config_fingerprint = fingerprint;
    return find(build(server, with), "Deployment")["spec"]["template"]["metadata"]["annotations"];
  };
  EXPECT_EQ(annotations("abc")["mcpfleet.dev/config-fingerprint"], "abc");
  EXPECT_FALSE(annotations("").contains("mcpfleet.dev/config-fingerprint"));
}

TEST(DesiredTest, OfSomebodyElsesWorkloadOnlyTheAutoscaler) {
  const auto server = workload_with(R"({"autoscaling": {}})");
  auto desired = build(server, with_service_monitor());
  ASSERT_EQ(desired.objects.size(), 1U);
  EXPECT_THAT(desired.unwanted, IsEmpty());
  const json hpa = find(desired, "HorizontalPodAutoscaler");
  EXPECT_EQ(hpa["metadata"]["name"], "time");
  EXPECT_EQ(hpa["spec"]["scaleTargetRef"],
            json::parse(R"({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "search"})"));
  EXPECT_EQ(hpa["spec"]["metrics"][0],
            json::parse(R"({"type": "Resource", "resource": {"name": "cpu",
      "target": {"type": "Utilization", "averageUtilization": 70}}})"));
  EXPECT_EQ(hpa["spec"]["metrics"][1]["resource"]["name"], "memory");
  EXPECT_EQ(hpa["spec"]["metrics"].size(), 3U);
  EXPECT_THAT(desired.notes, IsEmpty());
  EXPECT_EQ(address_url(server), "");

  desired = build(workload_with("{}"), context());
  EXPECT_THAT(desired.objects, IsEmpty());
  ASSERT_EQ(desired.unwanted.size(), 1U);
  EXPECT_EQ(desired.unwanted[0].kind, "HorizontalPodAutoscaler");
}

TEST(DesiredTest, Names) {
  EXPECT_EQ(selector("time"), "mcpfleet.dev/server=time");
  EXPECT_EQ(address_url(server_with(kHttp)), "http://time.tools.svc/v1");
}

}  // namespace
}  // namespace mcpfleet::desired
