#include "operator/pod_usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/scale_writer.h"
#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

using testing::HasSubstr;

constexpr const char* kList = R"({"kind": "PodMetricsList", "items": [
  {"metadata": {"name": "a"}, "timestamp": "2026-01-01T00:00:10Z", "containers": [
    {"name": "mcp-sidecar", "usage": {"cpu": "9", "memory": "9Gi"}},
    {"name": "server", "usage": {"cpu": "150000001n", "memory": "64Mi"}}]},
  {"metadata": {"name": "b"}, "timestamp": "2026-01-01T00:00:00Z", "containers": [
    {"name": "server", "usage": {"cpu": "50m", "memory": "32Mi"}}]},
  {"metadata": {"name": "late"}, "timestamp": "2026-01-01T00:00:00Z", "containers": [
    {"name": "server", "usage": {"cpu": "1", "memory": "1Gi"}}]},
  {"metadata": {"name": "strange"}, "timestamp": "2026-01-01T00:00:00Z", "containers": [
    {"name": "other", "usage": {"cpu": "1", "memory": "1Gi"}}]},
  {"metadata": {"name": "timeless"}, "containers": [{"name": "server", "usage": {"cpu": "1", "memory": "1"}}]}]})";

desired::ObservedPod pod(const char* name, bool ready = true, bool deleting = false) {
  desired::ObservedPod result;
  result.name = name;
  result.ready = ready;
  result.deleting = deleting;
  return result;
}

TEST(PodUsageTest, ReadsTheServersContainer) {
  const auto usages = decode_pod_usages(kList);
  ASSERT_TRUE(usages) << usages.error().message;
  ASSERT_EQ(usages->size(), 3u);
  EXPECT_EQ(usages->at("a").cpu_milli, 151);
  EXPECT_EQ(usages->at("b").memory_milli, std::int64_t{32} * 1024 * 1024 * 1000);
  for (const char* text : {"", "[]", "{}", R"({"items": 1})"})
    EXPECT_FALSE(decode_pod_usages(text));
}

TEST(PodUsageTest, PodsThatMustNotCountDoNot) {
  const auto usages = *decode_pod_usages(kList);
  const auto of = [&](const std::vector<desired::ObservedPod>& pods) {
    return utilization(usages, pods, &PodUsage::cpu_milli, 100);
  };
  const auto both = of({pod("a"), pod("b"), pod("late", false), pod("strange"), pod("new")});
  ASSERT_TRUE(both);
  EXPECT_DOUBLE_EQ(both->percent, 100.5);
  EXPECT_EQ(both->at, usages.at("b").at) << "the oldest";
  EXPECT_FALSE(of({pod("late", true, true), pod("new")}));
  EXPECT_FALSE(of({}));
  EXPECT_FALSE(utilization(usages, {pod("a")}, &PodUsage::cpu_milli, 0));
}

TEST(PodUsageTest, LimitsStandInForRequests) {
  fleet::Runtime runtime;
  EXPECT_FALSE(requests_of(runtime).cpu_milli);
  runtime.resources = R"({"requests": {"cpu": "100m"}, "limits": {"cpu": 2, "memory": "1Ki"}})";
  EXPECT_EQ(requests_of(runtime).cpu_milli, 100);
  EXPECT_EQ(requests_of(runtime).memory_milli, 1'024'000);
}

TEST(PodUsageTest, AnAnswerThatFailsSaysWhoseMetricsAreMissing) {
  kube::FakeClient client;
  const auto usages = read_pod_usages(client, "tools");
  ASSERT_FALSE(usages);
  EXPECT_THAT(usages.error().message, HasSubstr("metrics-server"));
  EXPECT_EQ(
      client.calls()[0].path,
      "/apis/metrics.k8s.io/v1beta1/namespaces/tools/pods?labelSelector=mcpfleet.dev%2Fserver");
}

TEST(ScaleWriterTest, WritesTheScaleOfTheWorkload) {
  kube::FakeClient client;
  client.answer = [](const kube::FakeClient::Call&) { return "{}"; };
  fleet::MCPServer server;
  server.namespace_ = "tools";
  server.name = "time";
  ASSERT_TRUE(write_scale(client, server, 5));
  server.workload_ref = fleet::WorkloadRef{"StatefulSet", "search"};
  ASSERT_TRUE(write_scale(client, server, 2));
  const auto calls = client.calls();
  EXPECT_EQ(calls[0].path, "/apis/apps/v1/namespaces/tools/deployments/time/scale");
  EXPECT_EQ(calls[0].body, R"({"spec":{"replicas":5}})");
  EXPECT_EQ(calls[1].path, "/apis/apps/v1/namespaces/tools/statefulsets/search/scale");
}

}  // namespace
}  // namespace mcpfleet::op
