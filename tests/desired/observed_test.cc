#include "desired/observed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "desired/reasons.h"

namespace mcpfleet::desired {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json managed(const char* manager, const char* operation, const char* subresource, bool replicas) {
  json entry{{"manager", manager}, {"operation", operation}, {"fieldsType", "FieldsV1"}};
  if (*subresource != '\0') entry["subresource"] = subresource;
  entry["fieldsV1"] = {{"f:spec", {{"f:template", json::object()}}}};
  if (replicas) entry["fieldsV1"]["f:spec"]["f:replicas"] = json::object();
  return entry;
}

TEST(ObservedTest, Deployment) {
  const auto got = decode_deployment(R"({
    "metadata": {"name": "time", "namespace": "tools", "uid": "d-1", "generation": 4,
      "annotations": {"mcpfleet.dev/runtime-replicas": "2"},
      "ownerReferences": [{"uid": "other"}, {"uid": "u-1", "controller": true}]},
    "spec": {"replicas": 5},
    "status": {"observedGeneration": 3, "replicas": 4, "updatedReplicas": 3, "readyReplicas": 2, "availableReplicas": 1,
      "conditions": [{"type": "Available", "status": "False", "reason": "R", "message": "m"}]}})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->controller_uid, "u-1");
  EXPECT_EQ(got->generation, 4);
  EXPECT_EQ(got->observed_generation, 3);
  EXPECT_EQ(got->spec_replicas, 5);
  EXPECT_EQ(got->runtime_replicas, 2);
  EXPECT_EQ(got->replicas, 4);
  EXPECT_EQ(got->updated_replicas, 3);
  EXPECT_EQ(got->ready_replicas, 2);
  EXPECT_EQ(got->available_replicas, 1);
  ASSERT_EQ(got->conditions.size(), 1U);
  EXPECT_EQ(got->conditions[0].reason, "R");
}

TEST(ObservedTest, AWorkload) {
  const auto got = decode_workload(R"({"kind": "StatefulSet",
    "metadata": {"name": "search", "generation": 4},
    "spec": {"replicas": 5, "selector": {"matchLabels": {"app": "search", "tier": "back"},
      "matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]},
                           {"key": "old", "operator": "DoesNotExist"}, {"key": "new", "operator": "Exists"},
                           {"key": "track", "operator": "NotIn", "values": ["canary"]}]}},
    "status": {"observedGeneration": 3, "replicas": 4, "updatedReplicas": 3, "readyReplicas": 2, "availableReplicas": 1}})");
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->found);
  EXPECT_EQ(got->kind, "StatefulSet");
  EXPECT_EQ(got->name, "search");
  EXPECT_EQ(got->spec_replicas, 5);
  EXPECT_EQ(got->available_replicas, 1);
  EXPECT_EQ(got->selector, "app=search,tier=back,zone in (a,b),!old,new,track notin (canary)");
}

TEST(ObservedTest, WhoOwnsTheReplicas) {
  const json ours = managed("mcp-operator", "Apply", "", true);
  const json ours_without = managed("mcp-operator", "Apply", "", false);
  const json hpa = managed("kube-controller-manager", "Update", "scale", true);
  const json deployment_controller = managed("kube-controller-manager", "Update", "status", false);
  const json actuator = managed("mcp-operator", "Update", "scale", true);
  const json kubectl = managed("kubectl", "Update", "scale", true);
  const struct {
    const char* name;
    json fields;
    ReplicasOwner want;
  } cases[] = {
      {"nobody", json::array(), ReplicasOwner::Ours},
      {"us", {ours, deployment_controller}, ReplicasOwner::Ours},
      {"the HPA", {ours_without, hpa}, ReplicasOwner::Autoscaler},
      {"the HPA and us", {hpa, ours}, ReplicasOwner::Autoscaler},
      {"our own actuator", {ours_without, actuator}, ReplicasOwner::Autoscaler},
      {"kubectl scale", {ours_without, kubectl}, ReplicasOwner::Other},
      {"the HPA after kubectl", {kubectl, hpa}, ReplicasOwner::Autoscaler},
  };
  for (const auto& test : cases) {
    const json object{{"metadata", {{"managedFields", test.fields}}}};
    const auto got = decode_deployment(object.dump());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->replicas_owner, test.want) << test.name;
  }
}

TEST(ObservedTest, HpaMetricsBesideTheirTargets) {
  const auto got = decode_hpa(R"({
    "metadata": {"name": "time", "namespace": "tools", "ownerReferences": [{"uid": "u-1", "controller": true}]},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "time"}, "metrics": [
      {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "server",
        "target": {"type": "Utilization", "averageUtilization": 70}}},
      {"type": "Pods", "pods": {"metric": {"name": "mcp_requests_per_second"},
        "target": {"type": "AverageValue", "averageValue": "100"}}},
      {"type": "Object", "object": {"describedObject": {"kind": "MCPServer", "name": "time"},
        "metric": {"name": "mcp_recommended_replicas"}, "target": {"type": "AverageValue", "averageValue": "1"}}}]},
    "status": {"currentReplicas": 4, "desiredReplicas": 5, "currentMetrics": [
      {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "server",
        "current": {"averageUtilization": 63, "averageValue": "63m"}}},
      {"type": ""},
      {"type": "Object", "object": {"metric": {"name": "mcp_recommended_replicas"},
        "current": {"averageValue": "1250m", "value": "5"}}}],
      "conditions": [{"type": "ScalingActive", "status": "False", "reason": "FailedGetPodsMetric", "message": "m"}]}})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->target_kind, "Deployment");
  EXPECT_EQ(got->desired_replicas, 5);
  ASSERT_EQ(got->metrics.size(), 3U);
  EXPECT_EQ(got->metrics[0].name, "cpu");
  EXPECT_EQ(got->metrics[0].current, "63%");
  EXPECT_EQ(got->metrics[0].target, "70%");
  EXPECT_EQ(got->metrics[1].current, "") << "unknown";
  EXPECT_EQ(got->metrics[1].target, "100");
  EXPECT_EQ(got->metrics[2].current, "1250m");
  EXPECT_EQ(got->conditions[0].reason, "FailedGetPodsMetric");
}

struct PodCase {
  const char* name;
  const char* status;
  std::string_view want_reason;  // "": no problem
  const char* want_message;
};

constexpr PodCase kPods[] = {
    {"starting",
     R"({"containerStatuses": [{"name": "server", "state": {"waiting": {"reason": "ContainerCreating"}}}]})",
     "", ""},
    {"ready",
     R"({"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "server", "ready": true,
        "lastState": {"terminated": {"exitCode": 1}}}]})",
     "", ""},
    {"no node",
     R"({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient cpu."}]})",
     kUnschedulable, "no node takes the pod: 0/3 nodes are available"},
    {"no image",
     R"({"containerStatuses": [{"name": "server", "image": "nowhere/x:1", "state": {"waiting":
        {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}]})",
     kImagePullFailed,
     "container server: no image nowhere/x:1 (ImagePullBackOff): Back-off pulling"},
    {"never pulled",
     R"({"initContainerStatuses": [{"name": "mcp-sidecar-install", "image": "s", "state": {"waiting":
        {"reason": "ErrImageNeverPull"}}}]})",
     kImagePullFailed, "container mcp-sidecar-install: no image s (ErrImageNeverPull)"},
    {"bad name",
     R"({"containerStatuses": [{"name": "server", "image": "A B", "state": {"waiting": {"reason": "InvalidImageName"}}}]})",
     kImagePullFailed, "(InvalidImageName)"},
    {"crash loop", R"({"containerStatuses": [{"name": "server", "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 2, "reason": "Error", "message": "line one\nno such tool\n"}}}]})",
     kCrashLooping,
     "container server exited with code 2 (Error), 3 restarts: line one no such tool"},
    {"exited just now", R"({"containerStatuses": [{"name": "server", "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]})",
     kCrashLooping, "container server exited with code 0 (Completed)"},
    {"runs again, not ready",
     R"({"containerStatuses": [{"name": "server", "ready": true, "restartCount": 1,
        "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]})",
     kCrashLooping, "container server exited with code 137 (OOMKilled), 1 restart"},
    {"no such program", R"({"containerStatuses": [{"name": "server", "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 128, "reason": "StartError", "message": "exec: \"serve\": not found"}}}]})",
     kContainerCannotRun, "container server cannot be started: exec: \"serve\": not found"},
    {"run error",
     R"({"containerStatuses": [{"name": "server", "state": {"waiting": {"reason": "RunContainerError", "message": "m"}}}]})",
     kContainerCannotRun, "container server cannot be started: m"},
    {"missing secret", R"({"containerStatuses": [{"name": "server", "state": {"waiting":
        {"reason": "CreateContainerConfigError", "message": "secret \"tokens\" not found"}}}]})",
     kContainerConfigError, "container server cannot be created: secret \"tokens\" not found"},
    {"init done",
     R"({"initContainerStatuses": [{"name": "mcp-sidecar-install", "state": {"terminated": {"exitCode": 0}}}]})",
     "", ""},
    {"init failed",
     R"({"initContainerStatuses": [{"name": "mcp-sidecar-install", "state": {"terminated": {"exitCode": 1}}}]})",
     kCrashLooping, "container mcp-sidecar-install exited with code 1"},
};

TEST(ObservedTest, PodProblems) {
  for (const auto& test : kPods) {
    json pod = json::parse(
        R"({"metadata": {"name": "time-x", "labels": {"mcpfleet.dev/server": "time"}}})");
    pod["status"] = json::parse(test.status);
    const auto got = decode_pod(pod.dump());
    ASSERT_TRUE(got) << test.name;
    EXPECT_EQ(got->owner, "time");
    ASSERT_EQ(got->problem.has_value(), !test.want_reason.empty()) << test.name;
    if (!got->problem) continue;
    EXPECT_EQ(got->problem->reason, test.want_reason) << test.name;
    EXPECT_THAT(got->problem->message, HasSubstr(test.want_message)) << test.name;
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    EXPECT_FALSE(decode_pod(pod.dump())->problem) << test.name << ": it is on its way out";
  }
}

TEST(ObservedTest, PodSaysWhichRevisionItIsAndWhereItListens) {
  const auto got = decode_pod(R"({"metadata": {"namespace": "ns", "name": "p",
    "labels": {"mcpfleet.dev/server": "time", "pod-template-hash": "abc12"}}, "status": {"podIP": "10.0.0.7"}})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->owner, "time");
  EXPECT_EQ(got->template_hash, "abc12");
  EXPECT_EQ(got->ip, "10.0.0.7");
  EXPECT_EQ(decode_pod(R"({"metadata": {"name": "p"}})")->ip, "") << "not scheduled yet";
}

TEST(ObservedTest, APodOfAGateway) {
  const auto got =
      decode_pod(R"({"metadata": {"name": "p", "labels": {"mcpfleet.dev/gateway": "front"}}})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->owner, "front");
}

TEST(ObservedTest, LongLogsKeepTheirEnd) {
  json pod = json::parse(
      R"({"status": {"containerStatuses": [{"name": "server", "state": {"terminated": {"exitCode": 1}}}]}})");
  std::string log;
  for (int i = 0; i < 1000; ++i) log += "é";
  pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] = log + " the end";
  const auto got = decode_pod(pod.dump());
  ASSERT_TRUE(got && got->problem);
  EXPECT_LT(got->problem->message.size(), 600U);
  EXPECT_THAT(got->problem->message, testing::EndsWith("é the end"));
  EXPECT_NO_THROW((void)json(got->problem->message).dump()) << "cut between characters";
}

TEST(ObservedTest, GarbageIsAnErrorAndEmptinessIsNot) {
  EXPECT_EQ(decode_pod("{").error().kind, ErrorKind::Malformed);
  EXPECT_EQ(decode_hpa("<html>").error().kind, ErrorKind::Malformed);
  EXPECT_TRUE(decode_deployment("{}"));
  EXPECT_TRUE(
      decode_deployment(R"({"metadata": [], "spec": 3, "status": {"conditions": {"a": "b"}}})"));
  EXPECT_TRUE(decode_hpa(
      R"({"spec": {"metrics": [1, null, {"type": 4}]}, "status": {"currentMetrics": "x"}})"));
}

}  // namespace
}  // namespace mcpfleet::desired
