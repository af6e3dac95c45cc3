#include "fleet/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "manifests.h"

namespace mcpfleet::fleet {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

TEST(DecodeTest, TheLeastGetsTheDefaults) {
  const auto server = decode(minimal().dump());
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->name, "time");
  EXPECT_EQ(key(*server), "tools/time");
  EXPECT_EQ(server->uid, "u-1");
  EXPECT_EQ(server->generation, 3);
  EXPECT_EQ(server->image.ref, "localhost/time:1");
  EXPECT_EQ(server->transport.type, TransportType::StreamableHttp);
  EXPECT_EQ(server->config.port, 8080);
  EXPECT_EQ(server->config.path, "/mcp");
  EXPECT_EQ(server->runtime.replicas, 1);
  EXPECT_EQ(server->sessions.drain_timeout, seconds(30));
  EXPECT_EQ(server->sessions.idle_timeout, seconds(1800));
  EXPECT_FALSE(server->autoscaling);
}

TEST(DecodeTest, EmptyAutoscalingHasTheSeedsDefaults) {
  json object = minimal();
  object["spec"]["autoscaling"] = json::object();
  const auto server = decode(object.dump());
  ASSERT_TRUE(server) << server.error().message;
  const Autoscaling& autoscaling = *server->autoscaling;
  EXPECT_EQ(autoscaling.min_replicas, 3);
  EXPECT_EQ(autoscaling.max_replicas, 50);
  EXPECT_EQ(autoscaling.targets, (Targets{70, 80, 100'000, std::nullopt}));
  EXPECT_EQ(json::parse(autoscaling.behavior), json::parse(R"({
    "scaleUp": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}]},
    "scaleDown": {"stabilizationWindowSeconds": 300, "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}})"));
}

TEST(DecodeTest, TargetsThatAreGivenStandAlone) {
  json object = minimal();
  object["spec"]["autoscaling"]["targets"]["concurrency"] = 4;
  const auto server = decode(object.dump());
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->autoscaling->targets,
            (Targets{std::nullopt, std::nullopt, std::nullopt, 4'000}));
}

TEST(DecodeTest, ReadsTheOldTransport) {
  auto object = full();
  object["spec"]["transport"]["type"] = "sse";
  const auto server = decode(object.dump());
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->transport.type, TransportType::Sse);
  EXPECT_EQ(server->transport.sse, (SseTransport{"/events", true, 5, std::chrono::seconds(30)}));
}

TEST(DecodeTest, ReadsEveryField) {
  const auto server = decode(full().dump());
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->image.pull_policy, "IfNotPresent");
  EXPECT_EQ(server->image.image_pull_secrets, std::vector<std::string>{"pull"});
  EXPECT_EQ(server->transport.type, TransportType::Stdio);
  EXPECT_EQ(server->transport.max_processes, 7);
  EXPECT_EQ(server->transport.mode, StdioMode::Pooled);
  EXPECT_EQ(server->transport.pool_size, 3);
  EXPECT_EQ(server->transport.hang_timeout, std::chrono::seconds(90));
  EXPECT_EQ(server->transport.max_process_memory, 512LL * 1024 * 1024);
  EXPECT_EQ(server->transport.allowed_origins,
            (std::vector<std::string>{"https://app.example.com", "*"}));
  EXPECT_EQ(server->config.port, 3001);
  EXPECT_EQ(server->config.path, "/v1/mcp");
  EXPECT_EQ(server->config.command, std::vector<std::string>{"serve"});
  EXPECT_EQ(server->config.arguments, std::vector<std::string>{"--fast"});
  EXPECT_EQ(json::parse(server->config.env), full()["spec"]["config"]["env"]);
  EXPECT_EQ(json::parse(server->config.env_from), full()["spec"]["config"]["envFrom"]);
  ASSERT_EQ(server->config.storage.size(), 4U);
  EXPECT_EQ(server->config.storage[0],
            (Storage{"keys", "/keys", true, StorageKind::Secret, "api-keys", true,
                     R"([{"key":"a","mode":256,"path":"a.pem"}])", ""}));
  EXPECT_EQ(server->config.storage[1].object, "rules");
  EXPECT_EQ(server->config.storage[2],
            (Storage{"data", "/data", false, StorageKind::PersistentVolumeClaim, "data-0"}));
  EXPECT_EQ(server->config.storage[3],
            (Storage{"cache", "/cache", false, StorageKind::EmptyDir, "", false, "", "1Gi"}));
  EXPECT_EQ(json::parse(server->runtime.pod_template), full()["spec"]["runtime"]["podTemplate"]);
  EXPECT_EQ(server->disruption, (Disruption{R"("25%")", ""}));
  EXPECT_EQ(json::parse(server->network->ingress_from), full()["spec"]["network"]["ingressFrom"]);
  EXPECT_EQ(json::parse(server->network->egress_to), full()["spec"]["network"]["egressTo"]);
  EXPECT_FALSE(server->workload_ref);
  EXPECT_EQ(server->runtime.replicas, 4);
  EXPECT_TRUE(server->runtime.requests_cpu);
  EXPECT_TRUE(server->runtime.requests_memory);
  EXPECT_EQ(server->sessions.drain_timeout, seconds(5));
  EXPECT_EQ(server->sessions.idle_timeout, seconds(90));
  const Autoscaling& autoscaling = *server->autoscaling;
  EXPECT_EQ(autoscaling.mode, ScalingMode::DryRun);
  EXPECT_EQ(autoscaling.actuator, Actuator::Operator);
  EXPECT_EQ(autoscaling.targets,
            (Targets{60, 70, 250, 5'000, 20'000,
                     LatencyTarget{Quantile::P99, std::chrono::milliseconds(250)}}));
  EXPECT_EQ(autoscaling.panic, (Panic{seconds(5), seconds(50), 150}));
  EXPECT_EQ(
      autoscaling.schedule,
      (std::vector<ScheduledMinimum>{{"office", "0 8 * * 1-5", seconds(36'000), 5, seconds(900)}}));
  EXPECT_EQ(autoscaling.forecast, (Forecast{seconds(168 * 3600), seconds(300)}));
  EXPECT_EQ(autoscaling.missing_data,
            (std::vector<MissingData>{{"latency", MissingAction::LastKnownGood, seconds(120)}}));
  ASSERT_EQ(autoscaling.rules.size(), 2U);
  EXPECT_EQ(autoscaling.rules[0], (Rule{"slow",
                                        "mcp_request_duration_seconds_p95",
                                        "search",
                                        Operator::GreaterOrEqual,
                                        0.2,
                                        Action::ScaleUp,
                                        {std::nullopt, 50},
                                        seconds(30),
                                        seconds(15)}));
  EXPECT_EQ(autoscaling.rules[1].op, Operator::Less);
  EXPECT_EQ(autoscaling.rules[1].action, Action::ScaleDown);
  EXPECT_EQ(autoscaling.rules[1].amount, (Amount{2, std::nullopt}));
}

TEST(DecodeTest, ALimitRequestsAResourceToo) {
  json object = minimal();
  object["spec"]["runtime"]["resources"]["limits"]["cpu"] = 2;
  const auto server = decode(object.dump());
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_TRUE(server->runtime.requests_cpu);
  EXPECT_FALSE(server->runtime.requests_memory);
}

struct Bad {
  const char* pointer;  // what to set in full()
  json value;           // null: remove it
  const char* want;     // the sentence starts so
};

TEST(DecodeTest, RefusesBadInputByTheFieldsName) {
  const Bad cases[] = {
      {"/metadata/name", "Time", "metadata.name must be lower-case"},
      {"/metadata/name", "9lives", "metadata.name must be lower-case"},
      {"/metadata/name", std::string(53, 'a'), "metadata.name must be"},
      {"/metadata/name", nullptr, "metadata.name is required"},
      {"/spec", nullptr, "spec is required"},
      {"/spec/source", nullptr, "spec.source is required"},
      {"/spec/source/containerImage", nullptr, "spec.source.containerImage is required"},
      {"/spec/source/containerImage/ref", nullptr, "spec.source.containerImage.ref is required"},
      {"/spec/source/containerImage/ref", "a b", "spec.source.containerImage.ref must be an image"},
      {"/spec/transport/type", "pigeon",
       "spec.transport.type must be stdio, streamable-http or sse, not \"pigeon\""},
      {"/spec/transport/type", nullptr, "spec.transport.type is required"},
      {"/spec/config/command", json::array(),
       "spec.config.command is required with transport stdio"},
      {"/spec/config/port", 19080, "spec.config.port must not be 19080"},
      {"/spec/config/port", 19090, "spec.config.port must not be 19090"},
      {"/spec/config/path", "mcp", "spec.config.path must be the path of a URL"},
      {"/spec/config/path", "/mcp?x=1", "spec.config.path must be the path of a URL"},
      {"/spec/config/env/0/name", nullptr, "spec.config.env[0].name is required"},
      {"/spec/config/envFrom/1/secretRef/name", nullptr,
       "spec.config.envFrom[1].secretRef.name is required"},
      {"/spec/source/workloadRef", json::object(),
       "spec.source.workloadRef has no effect with source.type ContainerImage"},
      {"/spec/config/storage/0/name", "Keys", "spec.config.storage[0].name must be lower-case"},
      {"/spec/config/storage/0/name", "session-key",
       "spec.config.storage[0].name must not be mcpfleet or session-key"},
      {"/spec/config/storage/1/name", "keys",
       "spec.config.storage[1].name must be unique, and \"keys\" is there twice"},
      {"/spec/config/storage/1/mountPath", "/keys",
       "spec.config.storage[1].mountPath must be unique, and /keys is there twice"},
      {"/spec/config/storage/1/mountPath", "rules",
       "spec.config.storage[1].mountPath must be an absolute path"},
      {"/spec/config/storage/1/mountPath", "/mcpfleet/x",
       "spec.config.storage[1].mountPath must not be in /mcpfleet or /etc/mcpfleet"},
      {"/spec/config/storage/1/mountPath", "/etc/mcpfleet",
       "spec.config.storage[1].mountPath must not be in /mcpfleet or /etc/mcpfleet"},
      {"/spec/config/storage/2/persistentVolumeClaim", nullptr,
       "spec.config.storage[2] must have exactly one of secret, configMap"},
      {"/spec/config/storage/2/emptyDir", json::object(),
       "spec.config.storage[2] must have exactly one of secret, configMap"},
      {"/spec/disruption/minAvailable", 1, "spec.disruption must have exactly one of"},
      {"/spec/disruption/maxUnavailable", nullptr, "spec.disruption must have exactly one of"},
      {"/spec/disruption/maxUnavailable", "101%",
       "spec.disruption.maxUnavailable must be a count or a percentage such as 25%, not \"101%\""},
      {"/spec/disruption/maxUnavailable", "025%", "spec.disruption.maxUnavailable must be a count"},
      {"/spec/disruption/maxUnavailable", -1, "spec.disruption.maxUnavailable must be a count"},
      {"/spec/network/ingressFrom/0", json::object(),
       "spec.network.ingressFrom[0] must have podSelector, namespaceSelector or ipBlock"},
      {"/spec/network/egressTo/0/ipBlock/cidr", nullptr,
       "spec.network.egressTo[0].ipBlock.cidr is required"},
      {"/spec/runtime/resources/requests/cpu", "lots",
       "spec.runtime.resources.requests.cpu must be a quantity such as 100 or 250m, not \"lots\""},
      {"/spec/runtime/resources/limits/memory", "-1Gi",
       "spec.runtime.resources.limits.memory must not be negative"},
      {"/spec/sessions/drainTimeout", "soon", "spec.sessions.drainTimeout must be a duration"},
      {"/spec/sessions/drainTimeout", "0", "spec.sessions.drainTimeout must be a duration"},
      {"/spec/sessions/idleTimeout", "0s", "spec.sessions.idleTimeout must be from 1s"},
      {"/spec/sessions/maxPerReplica", 0, "spec.sessions.maxPerReplica must be from 1"},
      {"/spec/autoscaling/minReplicas", 10,
       "spec.autoscaling.minReplicas must not be greater than maxReplicas (10 > 9"},
      {"/spec/autoscaling/minReplicas", 0, "spec.autoscaling.minReplicas must be from 1"},
      {"/spec/autoscaling/targets/requestsPerSecond", "fast",
       "spec.autoscaling.targets.requestsPerSecond must be a quantity such as 100 or 250m, not "
       "\"fast\""},
      {"/spec/autoscaling/targets/requestsPerSecond", "0",
       "spec.autoscaling.targets.requestsPerSecond must be greater than 0"},
      {"/spec/autoscaling/targets/concurrency", 1.5,
       "spec.autoscaling.targets.concurrency must be a quantity such as 100 or 250m (a fraction"},
      {"/spec/autoscaling/targets/sessions", "0",
       "spec.autoscaling.targets.sessions must be greater than 0"},
      {"/spec/autoscaling/targets/latency/value", nullptr,
       "spec.autoscaling.targets.latency.value is required"},
      {"/spec/autoscaling/targets/latency/value", "0s",
       "spec.autoscaling.targets.latency.value must be from 1ms to "},
      {"/spec/autoscaling/targets/latency/quantile", "p90",
       "spec.autoscaling.targets.latency.quantile must be p50, p95 or p99"},
      {"/spec/autoscaling/mode", "Try", "spec.autoscaling.mode must be Active, DryRun or Paused"},
      {"/spec/autoscaling/actuator", "KEDA", "spec.autoscaling.actuator must be HPA or Operator"},
      {"/spec/autoscaling/panic/window", "55s",
       "spec.autoscaling.panic.window must not be longer than stableWindow"},
      {"/spec/autoscaling/schedule/0/start", nullptr,
       "spec.autoscaling.schedule[0].start is required"},
      {"/spec/autoscaling/schedule/0/start", "61 * * * *",
       "spec.autoscaling.schedule[0].start is no cron line: minute \"61\""},
      {"/spec/autoscaling/schedule/0/minReplicas", nullptr,
       "spec.autoscaling.schedule[0].minReplicas is required"},
      {"/spec/autoscaling/forecast/season", "1m",
       "spec.autoscaling.forecast.season must be from 600s"},
      {"/spec/autoscaling/missingData/0/action", nullptr,
       "spec.autoscaling.missingData[0].action is required"},
      {"/spec/autoscaling/missingData/0/target", "weather",
       "spec.autoscaling.missingData[0].target must be cpuUtilization, "},
      {"/spec/autoscaling/rules/1/name", "slow",
       "spec.autoscaling.rules[1].name must be unique, and \"slow\" is there twice"},
      {"/spec/autoscaling/rules/0/name", "Slow", "spec.autoscaling.rules[0].name must be"},
      {"/spec/autoscaling/rules/0/metric", "cpu",
       "spec.autoscaling.rules[0].metric must be one of mcp_requests_per_second, "},
      {"/spec/autoscaling/rules/0/threshold", -1,
       "spec.autoscaling.rules[0].threshold must not be negative"},
      {"/spec/autoscaling/rules/0/threshold", nullptr,
       "spec.autoscaling.rules[0].threshold is required"},
      {"/spec/autoscaling/rules/0/action", nullptr, "spec.autoscaling.rules[0].action is required"},
      {"/spec/autoscaling/rules/0/operator",
       "==", "spec.autoscaling.rules[0].operator must be >, <, >= or <=, not \"==\""},
      {"/spec/autoscaling/rules/0/window", "0s",
       "spec.autoscaling.rules[0].window must be greater than 0s"},
      {"/spec/autoscaling/rules/0/window", "25h", "spec.autoscaling.rules[0].window must be from"},
      {"/spec/autoscaling/rules/0/amount/pods", 1,
       "spec.autoscaling.rules[0].amount must have exactly one of pods and percent"},
      {"/spec/autoscaling/rules/0/amount/percent", nullptr,
       "spec.autoscaling.rules[0].amount must have exactly one of pods and percent"},
      {"/spec/autoscaling/behavior/scaleUp/policies/0/value", nullptr,
       "spec.autoscaling.behavior.scaleUp.policies[0].value is required"},
  };
  for (const auto& test : cases) {
    json object = full();
    const json::json_pointer pointer(test.pointer);
    if (test.value.is_null())
      object[pointer.parent_pointer()].erase(pointer.back());
    else
      object[pointer] = test.value;
    const auto got = decode(object.dump());
    ASSERT_FALSE(got) << test.pointer;
    EXPECT_EQ(got.error().kind, ErrorKind::Invalid);
    EXPECT_THAT(got.error().message, StartsWith(test.want)) << test.pointer;
  }
}

TEST(DecodeTest, AWorkloadOfSomebodyElses) {
  const auto server = decode(full_of_workload().dump());
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->workload_ref, (WorkloadRef{"StatefulSet", "search"}));
  EXPECT_EQ(server->image.ref, "");
  EXPECT_TRUE(server->autoscaling);
}

TEST(DecodeTest, WhatWouldHaveNoEffectOnAWorkloadIsRefused) {
  const Bad cases[] = {
      {"/spec/source/workloadRef", nullptr,
       "spec.source.workloadRef is required with source.type WorkloadRef"},
      {"/spec/source/containerImage",
       {{"ref", "r"}},
       "spec.source.containerImage has no effect with source.type WorkloadRef"},
      {"/spec/transport", {{"type", "stdio"}}, "spec.transport has no effect with source.type"},
      {"/spec/config/path", "/v1", "spec.config has no effect with source.type WorkloadRef"},
      {"/spec/config/env", json::array(), "spec.config has no effect"},
      {"/spec/runtime/replicas", 2,
       "spec.runtime has no effect with source.type WorkloadRef: scale"},
      {"/spec/runtime/podTemplate", json::object(), "spec.runtime has no effect"},
      {"/spec/sessions/drainTimeout", "1s", "spec.sessions has no effect"},
      {"/spec/disruption", {{"maxUnavailable", 1}}, "spec.disruption has no effect"},
      {"/spec/network", json::object(), "spec.network has no effect"},
  };
  for (const auto& test : cases) {
    json object = full_of_workload();
    const json::json_pointer pointer(test.pointer);
    if (test.value.is_null())
      object[pointer.parent_pointer()].erase(pointer.back());
    else
      object[pointer] = test.value;
    // Any transport but the default's would want a command as well.
    if (object["spec"].contains("transport")) object["spec"]["config"]["command"] = {"x"};
    const auto got = decode(object.dump());
    ASSERT_FALSE(got) << test.pointer;
    EXPECT_THAT(got.error().message, StartsWith(test.want)) << test.pointer;
  }
}

TEST(DecodeTest, AutoscalingOnNothingIsRefused) {
  json object = minimal();
  object["spec"]["autoscaling"]["targets"] = json::object();
  const auto got = decode(object.dump());
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, StartsWith("spec.autoscaling.targets must name at least one"));
}

TEST(DecodeTest, TheMaximumAloneBelowTheDefaultMinimumSaysWhy) {
  json object = minimal();
  object["spec"]["autoscaling"]["maxReplicas"] = 2;
  const auto got = decode(object.dump());
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("they default to 3 and 50"));
}

TEST(DecodeTest, AnythingFromTheNetworkIsSurvived) {
  EXPECT_EQ(decode("").error().kind, ErrorKind::Malformed);
  EXPECT_EQ(decode("[]").error().kind, ErrorKind::Invalid);
  EXPECT_EQ(decode("null").error().kind, ErrorKind::Invalid);
  EXPECT_EQ(decode(std::string(100'000, '[')).error().kind, ErrorKind::Malformed);
  EXPECT_EQ(decode(std::string(kMaxObjectBytes + 1, ' ')).error().kind, ErrorKind::TooLarge);
  const std::string text = full().dump();
  for (std::size_t length = 0; length < text.size(); length += 3)
    EXPECT_FALSE(decode(text.substr(0, length)));
  std::string bytes = text;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    bytes[at] = '\xff';
    (void)decode(bytes);
    bytes[at] = text[at];
  }
}

TEST(DecodeTest, UnknownFieldsOfANewerSchemaAreIgnored) {
  json object = minimal();
  object["spec"]["proxy"]["profile"] = "heavy";
  EXPECT_TRUE(decode(object.dump()));
}

TEST(DecodeTest, IdentityOfWhatIsRefused) {
  json object = full();
  object["spec"]["transport"]["type"] = "carrier-pigeon";
  object["status"]["replicas"] = 5;
  EXPECT_FALSE(decode(object.dump()));
  const auto identity = decode_identity(object.dump());
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->uid, "u-1");
  EXPECT_EQ(identity->status.replicas, 5);
}

}  // namespace
}  // namespace mcpfleet::fleet
