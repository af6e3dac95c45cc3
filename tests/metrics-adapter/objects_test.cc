// What is read from pods and MCPServers.
#include <gtest/gtest.h>

#include "base/time_text.h"
#include "metrics-adapter/pod_target.h"
#include "metrics-adapter/server_record.h"

namespace mcpfleet::adapter {
namespace {

TEST(PodTargetTest, ReadsARunningPod) {
  const auto pod = decode_pod(R"({"metadata":{"namespace":"ns","name":"p","uid":"u",
    "labels":{"mcpfleet.dev/server":"x","a":"b"},
    "annotations":{"mcpfleet.dev/metrics-port":"1234","mcpfleet.dev/metrics-path":"/m"}},
    "status":{"phase":"Running","podIP":"10.0.0.1","conditions":[
      {"type":"Initialized","status":"True","lastTransitionTime":"2025-01-01T00:00:00Z"},
      {"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
  ASSERT_TRUE(pod) << pod.error().message;
  EXPECT_EQ(pod->namespace_, "ns");
  EXPECT_EQ(pod->name, "p");
  EXPECT_EQ(pod->uid, "u");
  EXPECT_EQ(pod->server, "x");
  EXPECT_EQ(pod->labels, (Labels{{"mcpfleet.dev/server", "x"}, {"a", "b"}}));
  EXPECT_EQ(pod->ip, "10.0.0.1");
  EXPECT_EQ(pod->port, 1234);
  EXPECT_EQ(pod->path, "/m");
  EXPECT_TRUE(pod->ready);
  EXPECT_EQ(pod->ready_since, parse_rfc3339("2026-01-01T00:00:00Z").value());
  EXPECT_FALSE(pod->deleting);
  EXPECT_FALSE(pod->finished);
}

TEST(PodTargetTest, ReadsOtherStates) {
  const auto with = [](const std::string& metadata, const std::string& status) {
    return decode_pod(R"({"metadata":{"namespace":"ns","name":"p","uid":"u",)"
                      R"("labels":{"mcpfleet.dev/server":"x"})" +
                      metadata + R"(},"status":{)" + status + "}}");
  };
  const auto pending = with("", R"("phase":"Pending")");
  ASSERT_TRUE(pending);
  EXPECT_TRUE(pending->ip.empty());
  EXPECT_EQ(pending->port, 19090);
  EXPECT_EQ(pending->path, "/metrics");
  EXPECT_FALSE(pending->ready);
  EXPECT_TRUE(with(R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")", "")->deleting);
  EXPECT_TRUE(with("", R"("phase":"Failed")")->finished);
  EXPECT_TRUE(with("", R"("phase":"Succeeded")")->finished);
  const auto unready = with("", R"("conditions":[{"type":"Ready","status":"False",
    "lastTransitionTime":"2026-01-01T00:00:00Z"}])");
  EXPECT_FALSE(unready->ready);
  EXPECT_FALSE(unready->ready_since);
}

TEST(PodTargetTest, APodThatWasNeverReadyIsNoUnreadyOne) {
  const auto with = [](const std::string& status) {
    return decode_pod(R"({"metadata":{"namespace":"ns","name":"p","uid":"u",)"
                      R"("creationTimestamp":"2026-01-01T00:00:00Z",)"
                      R"("labels":{"mcpfleet.dev/server":"x"}},"status":{)" +
                      status + "}}")
        .value()
        .was_ready;
  };
  const auto ready = [](const char* status, const char* since) {
    return std::string(R"("conditions":[{"type":"Ready","status":")") + status +
           R"(","lastTransitionTime":"2026-01-01T)" + since + R"(Z"}])";
  };
  const std::string started = R"("startTime":"2026-01-01T00:05:00Z",)";
  EXPECT_FALSE(with("")) << "not scheduled yet";
  EXPECT_TRUE(with(started + ready("True", "00:05:30")));
  EXPECT_FALSE(with(started + ready("False", "00:05:00"))) << "as the kubelet took it on";
  EXPECT_FALSE(with(started + ready("False", "00:05:01")));
  EXPECT_TRUE(with(started + ready("False", "00:09:00"))) << "it was ready, and is not any more";
  EXPECT_FALSE(with(ready("False", "00:00:01"))) << "by its creation where nothing else is known";
}

TEST(PodTargetTest, KnowsWhatMadeIt) {
  const auto with = [](const char* labels, const char* owner) {
    return decode_pod(std::string(R"({"metadata":{"namespace":"ns","name":"p","uid":"u",)"
                                  R"("creationTimestamp":"2026-01-01T00:00:00Z",)"
                                  R"("labels":{"mcpfleet.dev/server":"x")") +
                      labels + R"(},"ownerReferences":[)" + owner + R"(]},"status":{}})")
        .value();
  };
  const auto pod = with(R"(,"pod-template-hash":"7d9f")",
                        R"({"kind":"ReplicaSet","name":"web-7d9f","controller":true})");
  EXPECT_EQ(pod.created, parse_rfc3339("2026-01-01T00:00:00Z").value());
  EXPECT_EQ(pod.revision(), "7d9f");
  EXPECT_EQ(pod.workload, "web") << "the same for each revision of the Deployment";
  const auto stateful = with(R"(,"controller-revision-hash":"db-5c")",
                             R"({"kind":"StatefulSet","name":"db","controller":true})");
  EXPECT_EQ(stateful.revision(), "db-5c");
  EXPECT_EQ(stateful.workload, "db");
  EXPECT_EQ(with("", R"({"kind":"ReplicaSet","name":"web-7d9f","controller":true})").workload,
            "web-7d9f");
  EXPECT_EQ(with("", R"({"kind":"Node","name":"n"})").workload, "");
  EXPECT_EQ(with("", "").revision(), "");
}

TEST(PodTargetTest, NamesTheFieldThatIsWrong) {
  const auto annotated = [](const char* name, const char* value) {
    return std::string(R"({"metadata":{"namespace":"ns","name":"p","uid":"u",)"
                       R"("labels":{"mcpfleet.dev/server":"x"},"annotations":{")") +
           name + R"(":")" + value + R"("}}})";
  };
  const struct {
    std::string json;
    const char* want;
  } cases[] = {
      {"{", "pod: broken JSON"},
      {"[]", "a pod without metadata.name, namespace or uid"},
      {R"({"metadata":{"name":"p","uid":"u"}})", "a pod without metadata.name, namespace or uid"},
      {annotated("mcpfleet.dev/metrics-port", "http"),
       "pod ns/p: annotation mcpfleet.dev/metrics-port must be a port, not 'http'"},
      {annotated("mcpfleet.dev/metrics-port", "0"),
       "pod ns/p: annotation mcpfleet.dev/metrics-port must be a port, not '0'"},
      {annotated("mcpfleet.dev/metrics-port", "99999"),
       "pod ns/p: annotation mcpfleet.dev/metrics-port must be a port, not '99999'"},
      {annotated("mcpfleet.dev/metrics-path", "metrics"),
       "pod ns/p: annotation mcpfleet.dev/metrics-path must be a path such as /metrics"},
      {annotated("mcpfleet.dev/metrics-path", "/a b"),
       "pod ns/p: annotation mcpfleet.dev/metrics-path must be a path such as /metrics"},
  };
  for (const auto& test : cases) {
    const auto pod = decode_pod(test.json);
    ASSERT_FALSE(pod) << test.json;
    EXPECT_EQ(pod.error().message.substr(0, std::string(test.want).size()), test.want);
  }
}

TEST(PodTargetTest, AnyPodMayAskForIt) {
  const auto with = [](const char* metadata) {
    return decode_pod(std::string(R"({"metadata":{"namespace":"ns","name":"p","uid":"u")") +
                      metadata + R"(},"status":{"podIP":"10.0.0.1"}})");
  };
  EXPECT_FALSE(with("")->kept());
  EXPECT_FALSE(with(R"(,"annotations":{"mcpfleet.dev/scrape":"false"})")->kept());
  EXPECT_TRUE(with(R"(,"labels":{"mcpfleet.dev/server":"x"})")->kept());
  const auto asking =
      with(R"(,"annotations":{"mcpfleet.dev/scrape":"true","mcpfleet.dev/metrics-port":"8000"})");
  EXPECT_TRUE(asking->kept());
  EXPECT_TRUE(asking->opted_in);
  EXPECT_EQ(asking->port, 8000);
  EXPECT_TRUE(with(R"(,"annotations":{"mcpfleet.dev/metrics-port":"http"})")) << "not our matter";
  EXPECT_EQ(with(R"(,"annotations":{"mcpfleet.dev/scrape":"yes"})").error().message,
            "pod ns/p: annotation mcpfleet.dev/scrape must be \"true\" or \"false\"");
}

TEST(ServerRecordTest, ReadsTheRecommendation) {
  const auto with_status = [](const char* status) {
    return decode_server(std::string(R"({"metadata":{"namespace":"ns","name":"x"})") + status +
                         "}");
  };
  EXPECT_EQ(with_status(R"(,"status":{"scaling":{"recommendedReplicas":7}})")->recommended_replicas,
            7);
  EXPECT_FALSE(with_status("")->recommended_replicas);
  EXPECT_FALSE(with_status(R"(,"status":{"scaling":{}})")->recommended_replicas);
  EXPECT_FALSE(
      with_status(R"(,"status":{"scaling":{"recommendedReplicas":"7"}})")->recommended_replicas);
  EXPECT_FALSE(
      with_status(R"(,"status":{"scaling":{"recommendedReplicas":-1}})")->recommended_replicas);
  EXPECT_FALSE(decode_server("{}"));
  EXPECT_FALSE(decode_server("nonsense"));
}

}  // namespace
}  // namespace mcpfleet::adapter
