// spec.runtime.podTemplate: what it may change, and what it may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desired/desired.h"
#include "desired/reasons.h"
#include "servers.h"

namespace mcpfleet::desired {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

fleet::MCPServer server(bool stdio, const std::string& overlay) {
  const std::string form =
      stdio ? R"("transport": {"type": "stdio"}, "config": {"command": ["x"]}, )" : "";
  return server_with("{" + form + R"("runtime": {"podTemplate": )" + overlay + "}}");
}

json pod(const std::string& overlay) {
  const auto desired = build(server(false, overlay), context());
  EXPECT_FALSE(desired.refusal) << desired.refusal->message;
  return find(desired, "Deployment")["spec"]["template"];
}

TEST(PodTemplateTest, IsLaidOver) {
  const json got = pod(R"({
    "metadata": {"labels": {"team": "search"}, "annotations": {"prometheus.io/scrape": null, "a": "b"}},
    "spec": {
      "nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "gpu", "operator": "Exists"}],
      "priorityClassName": "high", "automountServiceAccountToken": true, "terminationGracePeriodSeconds": 60,
      "securityContext": {"runAsNonRoot": true},
      "imagePullSecrets": [{"name": "pull"}],
      "initContainers": [{"name": "mcp-sidecar", "resources": {"requests": {"cpu": "100m"}}}, {"name": "warm", "image": "w"}],
      "containers": [
        {"name": "server", "env": [{"name": "A", "value": "b"}], "securityContext": {"runAsUser": 1000},
         "lifecycle": {"postStart": {"exec": {"command": ["y"]}}}, "readinessProbe": {"tcpSocket": {"port": 8080}},
         "ports": [{"name": "debug", "containerPort": 9229}],
         "volumeMounts": [{"name": "models", "mountPath": "/models"}]},
        {"name": "log", "image": "l"}],
      "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": "m"}}]}})");
  EXPECT_EQ(got["metadata"]["labels"]["team"], "search");
  EXPECT_EQ(got["metadata"]["labels"]["mcpfleet.dev/server"], "time");
  EXPECT_EQ(got["metadata"]["annotations"]["a"], "b");
  EXPECT_FALSE(got["metadata"]["annotations"].contains("prometheus.io/scrape"));
  const json& spec = got["spec"];
  EXPECT_EQ(spec["nodeSelector"]["disk"], "ssd");
  EXPECT_EQ(spec["terminationGracePeriodSeconds"], 60);
  EXPECT_EQ(spec["initContainers"].size(), 3U);
  EXPECT_EQ(container_named(spec["initContainers"], "mcp-sidecar")["resources"],
            json::parse(R"({"requests": {"cpu": "100m", "memory": "16Mi"}})"));
  EXPECT_EQ(spec["initContainers"][2]["name"], "warm");
  const json container = container_named(spec["containers"], "server");
  EXPECT_EQ(container["image"], "localhost/time:1");
  EXPECT_EQ(container["securityContext"]["runAsUser"], 1000);
  EXPECT_TRUE(container["lifecycle"].contains("preStop"));
  EXPECT_TRUE(container["lifecycle"].contains("postStart"));
  EXPECT_EQ(container["volumeMounts"].size(), 2U);
  EXPECT_EQ(spec["containers"][1]["name"], "log");
  EXPECT_EQ(spec["volumes"].size(), 3U);
}

TEST(PodTemplateTest, AnEmptyOneChangesNothing) {
  const json bare = find(build(server_with("{}"), context()), "Deployment")["spec"]["template"];
  for (const char* overlay :
       {"{}", R"({"metadata": {}, "spec": {}})", R"({"metadata": {"labels": {}}})"})
    EXPECT_EQ(pod(overlay), bare) << overlay;
}

TEST(PodTemplateTest, AServiceAccountOfTheAuthors) {
  const auto desired =
      build(server(false, R"({"spec": {"serviceAccountName": "mine"}})"), context());
  EXPECT_EQ(find(desired, "ServiceAccount"), nullptr);
  EXPECT_TRUE(unwanted(desired, "ServiceAccount"));
  EXPECT_EQ(find(desired, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"], "mine");
}

struct Refused {
  const char* overlay;
  const char* want;  // behind "spec.runtime.podTemplate"
};

constexpr Refused kBoth[] = {
    {R"({"metadata": {"labels": {"mcpfleet.dev/server": "x"}}})",
     ".metadata.labels must leave mcpfleet.dev/server as it is"},
    {R"({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}})",
     ".metadata.labels must leave app.kubernetes.io/managed-by as it is"},
    {R"({"metadata": {"labels": {"$patch": "replace", "a": "b"}}})",
     ".metadata.labels must leave app"},
    {R"({"metadata": {"annotations": {"mcpfleet.dev/metrics-port": "1"}}})",
     ".metadata.annotations must leave mcpfleet.dev/metrics-port as it is"},
    {R"({"metadata": {"annotations": {"mcpfleet.dev/config-fingerprint": "x"}}})",
     ".metadata.annotations must leave mcpfleet.dev/config-fingerprint as it is"},
    {R"({"metadata": {"annotations": {"$patch": "delete"}}})", ".metadata.annotations must leave"},
    {R"({"spec": {"$patch": "delete"}})", ".spec must not be removed"},
    {R"({"spec": {"$patch": "replace"}})",
     ".spec.initContainers must leave mcp-sidecar-install as it is"},
    {R"({"spec": {"terminationGracePeriodSeconds": 5}})",
     ".spec.terminationGracePeriodSeconds must be at least 45"},
    {R"({"spec": {"terminationGracePeriodSeconds": null}})",
     ".spec.terminationGracePeriodSeconds must be at least 45"},
    {R"({"spec": {"initContainers": [{"name": "mcp-sidecar-install", "image": "x"}]}})",
     ".spec.initContainers must leave mcp-sidecar-install as it is"},
    {R"({"spec": {"initContainers": [{"name": "mcp-sidecar-install", "$patch": "delete"}]}})",
     ".spec.initContainers must leave mcp-sidecar-install as it is"},
    {R"({"spec": {"initContainers": null}})",
     ".spec.initContainers must leave mcp-sidecar-install"},
    {R"({"spec": {"initContainers": [{"$patch": "replace"}]}})",
     ".spec.initContainers must leave mcp-sidecar-install"},
    {R"({"spec": {"volumes": [{"name": "session-key", "$patch": "delete"}]}})",
     ".spec.volumes must leave session-key as it is"},
    {R"({"spec": {"volumes": [{"name": "mcpfleet", "emptyDir": {"medium": "Memory"}}]}})",
     ".spec.volumes must leave mcpfleet as it is"},
    {R"({"spec": {"volumes": [{"$patch": "replace"}, {"name": "mcpfleet", "emptyDir": {}}]}})",
     ".spec.volumes must leave mcpfleet as it is"},
    {R"({"spec": {"containers": [{"name": "server", "$patch": "delete"}]}})",
     ".spec.containers must not remove the container server"},
    {R"({"spec": {"containers": "x"}})", ".spec.containers must not remove the container server"},
    {R"({"spec": {"containers": [{"name": "server", "image": "x"}]}})",
     ".spec.containers must leave image of the container server as it is, for "
     "spec.source.containerImage sets it"},
    {R"({"spec": {"containers": [{"name": "server", "imagePullPolicy": "Always"}]}})",
     ".spec.containers must leave imagePullPolicy of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "command": ["x"]}]}})",
     ".spec.containers must leave command of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "args": ["x"]}]}})",
     ".spec.containers must leave args of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "resources": {"limits": {"cpu": 1}}}]}})",
     ".spec.containers must leave resources of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "lifecycle": null}]}})",
     ".spec.containers must leave lifecycle.preStop of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}]}})",
     ".spec.containers must leave lifecycle.preStop of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "volumeMounts": null}]}})",
     ".spec.containers must leave volumeMounts \"/mcpfleet\" of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "volumeMounts": [{"mountPath": "/mcpfleet", "name": "x"}]}]}})",
     ".spec.containers must leave volumeMounts \"/mcpfleet\" of the container server"},
    {R"({"spec": {"containers": [{"name": "log", "ports": [{"containerPort": 19080}]}]}})",
     ".spec.containers: the container log must not have a port 19080 or 19090"},
    {R"({"spec": {"containers": [{"name": "log", "ports": [{"containerPort": 1, "name": "metrics"}]}]}})",
     ".spec.containers: the container log must not have a port"},
    {R"({"spec": {"initContainers": [{"name": "i", "ports": [{"containerPort": 1, "name": "mcp"}]}]}})",
     ".spec.initContainers: the container i must not have a port"},
    {R"({"spec": {"containers": [{"image": "x"}]}})", ".spec.containers[0].name is required"},
};

constexpr Refused kHttp[] = {
    {R"({"spec": {"initContainers": [{"name": "mcp-sidecar", "image": "x"}]}})",
     ".spec.initContainers must leave mcp-sidecar as it is"},
    {R"({"spec": {"initContainers": [{"name": "mcp-sidecar", "ports": null}]}})",
     ".spec.initContainers must leave mcp-sidecar as it is"},
    {R"({"spec": {"containers": [{"name": "server", "ports": [{"containerPort": 19090}]}]}})",
     ".spec.containers: the container server must not have a port"},
};

constexpr Refused kStdio[] = {
    {R"({"spec": {"containers": [{"name": "server", "readinessProbe": null}]}})",
     ".spec.containers must leave readinessProbe of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "ports": [{"containerPort": 19080, "$patch": "delete"}]}]}})",
     ".spec.containers must leave ports 19080 of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "env": [{"name": "POD_IP", "value": "1.2.3.4"}]}]}})",
     ".spec.containers must leave env \"POD_IP\" of the container server"},
    {R"({"spec": {"containers": [{"name": "server", "env": [{"$patch": "replace"}, {"name": "A"}]}]}})",
     ".spec.containers must leave env \"POD_NAME\" of the container server"},
};

void expect_refused(bool stdio, const Refused& test) {
  const auto desired = build(server(stdio, test.overlay), context());
  ASSERT_TRUE(desired.refusal) << test.overlay;
  EXPECT_EQ(desired.refusal->reason, kInvalid);
  EXPECT_THAT(desired.refusal->message,
              StartsWith(std::string("spec.runtime.podTemplate") + test.want));
  EXPECT_TRUE(desired.objects.empty());
  EXPECT_TRUE(desired.unwanted.empty()) << "what exists is left alone";
}

TEST(PodTemplateTest, WhatTheProductNeedsStays) {
  for (const auto& test : kBoth)
    for (const bool stdio : {false, true}) expect_refused(stdio, test);
  for (const auto& test : kHttp) expect_refused(false, test);
  for (const auto& test : kStdio) expect_refused(true, test);
}

TEST(PodTemplateTest, WhatIsOursInOneFormIsTheAuthorsInTheOther) {
  for (
      const char* overlay :
      {R"({"spec": {"containers": [{"name": "server", "env": [{"name": "POD_IP", "value": "x"}]}]}})",
       R"({"spec": {"containers": [{"name": "server", "readinessProbe": {"tcpSocket": {"port": 1}}}]}})"})
    EXPECT_FALSE(build(server(false, overlay), context()).refusal) << overlay;
}

}  // namespace
}  // namespace mcpfleet::desired
