#include "desired/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desired/reasons.h"
#include "servers.h"

namespace mcpfleet::desired {
namespace {

using fleet::ConditionStatus;
using std::chrono::seconds;
using testing::HasSubstr;

const WallTime kNow{seconds(1'767'225'600)};

ObservedDeployment deployment(int spec, int up) {
  ObservedDeployment result;
  result.spec_replicas = spec;
  result.replicas = spec;
  result.updated_replicas = result.ready_replicas = result.available_replicas = up;
  return result;
}

ObservedHpa hpa(const char* active, const char* limited_reason) {
  ObservedHpa result;
  result.conditions = {
      {"AbleToScale", "True", "ReadyForNewScale", "ready"},
      {"ScalingActive", active, "FailedGetPodsMetric", "no metrics: scrape failed"},
      {"ScalingLimited", *limited_reason == '\0' ? "False" : "True",
       *limited_reason == '\0' ? "DesiredWithinRange" : limited_reason, "the count"}};
  result.metrics = {{"cpu", "63%", "70%"}, {"mcp_requests_per_second", "98765m", "100"}};
  return result;
}

Observed healthy() {
  Observed observed;
  observed.deployment = deployment(3, 3);
  observed.hpa = hpa("True", "");
  return observed;
}

fleet::MCPServer scaled() {
  return server_with(R"({"autoscaling": {"minReplicas": 3, "maxReplicas": 9}})");
}

// "True Serving: 3 of 3 replicas are ready"
std::string said(const fleet::Status& status, std::string_view type) {
  const auto* condition = fleet::find_condition(status, type);
  if (condition == nullptr) return "absent";
  const char* const names[] = {"True", "False", "Unknown"};
  return std::string(names[static_cast<int>(condition->status)]) + " " + condition->reason + ": " +
         condition->message;
}

TEST(StatusTest, AHealthyServer) {
  Observed observed = healthy();
  observed.active_sessions = 12;
  const auto status = build_status(scaled(), observed, kNow);
  EXPECT_EQ(status.observed_generation, 3);
  EXPECT_EQ(status.replicas, 3);
  EXPECT_EQ(status.ready_replicas, 3);
  EXPECT_EQ(status.selector, "mcpfleet.dev/server=time");
  EXPECT_EQ(status.address_url, "http://time.tools.svc/mcp");
  EXPECT_EQ(status.active_sessions, 12);
  ASSERT_EQ(status.conditions.size(), kConditionTypes.size());
  EXPECT_THAT(said(status, kAccepted), HasSubstr("True Applied: "));
  EXPECT_EQ(said(status, kAvailable), "True ReplicasAvailable: 3 of 3 replicas are available");
  EXPECT_EQ(said(status, kProgressing), "False Complete: 3 of 3 replicas run the present spec");
  EXPECT_EQ(said(status, kScalingActive), "True Scaling: between 3 and 9 replicas");
  EXPECT_THAT(said(status, kScalingLimited), HasSubstr("False WithinLimits"));
  EXPECT_EQ(said(status, kReady), "True Serving: 3 of 3 replicas are ready");
  for (const auto& condition : status.conditions) EXPECT_EQ(condition.observed_generation, 3);
}

struct ConditionCase {
  const char* name;
  void (*change)(Observed&);
  std::string_view type;
  const char* want;
};

ObservedPod troubled(const char* name, const char* reason, const char* message) {
  ObservedPod pod;
  pod.name = name;
  pod.problem = PodProblem{reason, message};
  return pod;
}

void pod_crashes(Observed& observed) {
  observed.pods = {troubled("time-b", "CrashLooping", "container server exited with code 1"),
                   troubled("time-a", "ImagePullFailed", "no image")};
}

const ConditionCase kCases[] = {
    {"nothing yet", [](Observed& o) { o = {}; }, kReady,
     "False NoReplicaAvailable: the Deployment does not exist yet"},
    {"nothing yet", [](Observed& o) { o = {}; }, kProgressing,
     "True RollingOut: waiting for the Deployment"},
    {"nothing yet", [](Observed& o) { o = {}; }, kScalingActive,
     "Unknown WaitingForHpa: no HorizontalPodAutoscaler yet"},
    {"starting", [](Observed& o) { o.deployment = deployment(3, 0); }, kReady,
     "False Starting: 0 of 3 replicas are ready"},
    {"starting", [](Observed& o) { o.deployment = deployment(3, 0); }, kAvailable,
     "False NoReplicaAvailable: 0 of 3 replicas are available"},
    {"scaled up, above the minimum", [](Observed& o) { o.deployment = deployment(8, 3); }, kReady,
     "True Serving: 3 of 8 replicas are ready"},
    {"scaled up, above the minimum", [](Observed& o) { o.deployment = deployment(8, 3); },
     kProgressing, "True RollingOut: 3 of 8 replicas run the present spec"},
    {"below the minimum", [](Observed& o) { o.deployment = deployment(8, 2); }, kReady,
     "False Starting: 2 of 8 replicas are ready"},
    {"an edit that nobody saw yet", [](Observed& o) { o.deployment->generation = 9; }, kReady,
     "False Starting: 3 of 3 replicas are ready"},
    {"at zero by hand", [](Observed& o) { o.deployment = deployment(0, 0); }, kReady,
     "False NoReplicaAvailable: scaled to 0 replicas"},
    {"stalled",
     [](Observed& o) {
       o.deployment->conditions = {
           {"Progressing", "False", "ProgressDeadlineExceeded", "has timed out"}};
     },
     kReady, "False Stalled: has timed out"},
    {"the first troubled pod by name", pod_crashes, kReady,
     "False ImagePullFailed: pod time-a: no image"},
    {"troubled pods do not hide those that serve", pod_crashes, kAvailable,
     "True ReplicasAvailable: 3 of 3 replicas are available"},
    {"name taken",
     [](Observed& o) { o.refusal = Refusal{"NameTaken", "Service time exists and is not ours"}; },
     kReady, "False NameTaken: Service time exists and is not ours"},
    {"name taken",
     [](Observed& o) { o.refusal = Refusal{"NameTaken", "Service time exists and is not ours"}; },
     kAccepted, "False NameTaken: Service time exists and is not ours"},
    {"no metrics", [](Observed& o) { o.hpa = hpa("False", ""); }, kScalingActive,
     "False HpaInactive: HorizontalPodAutoscaler: FailedGetPodsMetric: no metrics: scrape failed"},
    {"no metrics", [](Observed& o) { o.hpa = hpa("False", ""); }, kReady,
     "True Serving: 3 of 3 replicas are ready"},
    {"not reported", [](Observed& o) { o.hpa->conditions.clear(); }, kScalingActive,
     "Unknown WaitingForHpa: the HorizontalPodAutoscaler has not reported yet"},
    {"a rule without data", [](Observed& o) { o.rule_problems = {"rule slow has no data: x"}; },
     kScalingActive, "False RuleWithoutData: rule slow has no data: x"},
    {"notes", [](Observed& o) { o.notes = {"cpu is left out", "memory is left out"}; },
     kScalingActive, "True Scaling: between 3 and 9 replicas; cpu is left out; memory is left out"},
    {"no HPA, and why",
     [](Observed& o) {
       o.hpa.reset();
       o.notes = {"nothing is left to scale on"};
     },
     kScalingActive, "False NotConfigured: nothing is left to scale on"},
    {"at the maximum", [](Observed& o) { o.hpa = hpa("True", "TooManyReplicas"); }, kScalingLimited,
     "True AtMaximum: TooManyReplicas: the count"},
    {"at the minimum", [](Observed& o) { o.hpa = hpa("True", "TooFewReplicas"); }, kScalingLimited,
     "True AtMinimum: TooFewReplicas: the count"},
    {"by behavior", [](Observed& o) { o.hpa = hpa("True", "ScaleUpLimit"); }, kScalingLimited,
     "True RateLimited: ScaleUpLimit: the count"},
    {"more is wanted than may be",
     [](Observed& o) { o.limit = Limit{kAtMaximum, "a rule wants more than maxReplicas 9"}; },
     kScalingLimited, "True AtMaximum: a rule wants more than maxReplicas 9"},
    {"a target without data",
     [](Observed& o) { o.metric_problems = {"mcp_requests_in_flight: pod a hangs"}; },
     kScalingActive, "False MetricsMissing: mcp_requests_in_flight: pod a hangs"},
};

TEST(StatusTest, Conditions) {
  for (const auto& test : kCases) {
    Observed observed = healthy();
    test.change(observed);
    EXPECT_EQ(said(build_status(scaled(), observed, kNow), test.type), test.want) << test.name;
  }
}

struct ModeCase {
  const char* choice;
  const char* active;
  const char* limited;
};

TEST(StatusTest, ConditionsWhereNoHpaIsWanted) {
  constexpr const char* kFree = "False WithinLimits: nothing keeps the replicas from their load";
  const ModeCase cases[] = {
      {R"("actuator": "Operator")",
       "True Scaling: between 3 and 9 replicas, written by the operator", kFree},
      {R"("mode": "DryRun")",
       "False DryRun: spec.autoscaling.mode is DryRun: the replicas stay as they are; there would "
       "be 7",
       kFree},
      {R"("mode": "Paused")",
       "False Paused: spec.autoscaling.mode is Paused: the replicas stay as they are", kFree},
  };
  for (const auto& test : cases) {
    const auto server = server_with(R"({"autoscaling": {"minReplicas": 3, "maxReplicas": 9, )" +
                                    std::string(test.choice) + "}}");
    Observed observed = healthy();
    observed.hpa.reset();
    observed.scaling.emplace().would_be = 7;
    const auto status = build_status(server, observed, kNow);
    EXPECT_EQ(said(status, kScalingActive), test.active);
    EXPECT_EQ(said(status, kScalingLimited), test.limited);
  }
}

TEST(StatusTest, WithoutAutoscaling) {
  const auto server = server_with(R"({"runtime": {"replicas": 2}})");
  Observed observed;
  observed.deployment = deployment(2, 1);
  const auto status = build_status(server, observed, kNow);
  EXPECT_EQ(said(status, kScalingActive), "False NotConfigured: spec.autoscaling is not set");
  EXPECT_EQ(said(status, kScalingLimited), "False NotConfigured: spec.autoscaling is not set");
  EXPECT_EQ(said(status, kReady), "False Starting: 1 of 2 replicas are ready");
  EXPECT_FALSE(status.scaling);
}

Observed of_workload(int spec, int up) {
  ObservedWorkload workload;
  static_cast<ReplicaCounts&>(workload) = deployment(spec, up);
  workload.kind = "StatefulSet";
  workload.name = "search";
  workload.found = true;
  workload.selector = "app=search";
  Observed observed;
  observed.workload = workload;
  return observed;
}

TEST(StatusTest, SomebodyElsesWorkload) {
  const auto status = build_status(workload_with("{}"), of_workload(3, 3), kNow);
  EXPECT_EQ(status.replicas, 3);
  EXPECT_EQ(status.ready_replicas, 3);
  EXPECT_EQ(status.selector, "app=search");
  EXPECT_EQ(status.address_url, "");
  EXPECT_EQ(said(status, kAccepted),
            "True Applied: the spec is valid, and StatefulSet search exists");
  EXPECT_EQ(said(status, kAvailable), "True ReplicasAvailable: 3 of 3 replicas are available");
  EXPECT_EQ(said(status, kProgressing), "False Complete: 3 of 3 replicas run the present spec");
  EXPECT_EQ(said(status, kReady), "True Serving: 3 of 3 replicas are ready");
  EXPECT_EQ(said(status, kScalingActive), "False NotConfigured: spec.autoscaling is not set");

  const auto some = build_status(workload_with("{}"), of_workload(3, 2), kNow);
  EXPECT_EQ(said(some, kReady), "False Starting: 2 of 3 replicas are ready");
  const auto scaled = workload_with(R"({"autoscaling": {"minReplicas": 2}})");
  EXPECT_EQ(said(build_status(scaled, of_workload(3, 2), kNow), kReady),
            "True Serving: 2 of 3 replicas are ready");
}

TEST(StatusTest, AWorkloadThatIsNotThere) {
  auto server = workload_with("{}");
  const auto unseen = build_status(server, Observed{}, kNow);
  EXPECT_EQ(said(unseen, kProgressing), "True RollingOut: waiting for the StatefulSet search");
  EXPECT_EQ(said(unseen, kReady),
            "False NoReplicaAvailable: the StatefulSet search does not exist yet");
  Observed observed = of_workload(0, 0);
  observed.workload->found = false;
  const auto status = build_status(server, observed, kNow);
  for (const auto type : {kAccepted, kReady})
    EXPECT_EQ(
        said(status, type),
        "False WorkloadNotFound: StatefulSet search of spec.source.workloadRef does not exist");
}

TEST(StatusTest, WhatIsMissing) {
  using Kind = fleet::Reference::Kind;
  Observed observed = healthy();
  observed.missing = {{Kind::Secret, "tokens", false, "spec.config.envFrom[1]"},
                      {Kind::ConfigMap, "rules", false, "spec.config.storage[0]"}};
  auto status = build_status(scaled(), observed, kNow);
  EXPECT_EQ(
      said(status, kAccepted),
      "False SecretNotFound: Secret tokens does not exist, and spec.config.envFrom[1] needs it; "
      "ConfigMap rules does not exist, and spec.config.storage[0] needs it");
  EXPECT_EQ(said(status, kReady), said(status, kAccepted));
  EXPECT_EQ(said(status, kAvailable), "True ReplicasAvailable: 3 of 3 replicas are available")
      << "the last good state keeps running";
  EXPECT_EQ(said(status, kScalingActive), "True Scaling: between 3 and 9 replicas");
  observed.missing.erase(observed.missing.begin());
  status = build_status(scaled(), observed, kNow);
  EXPECT_THAT(said(status, kAccepted), HasSubstr("False ConfigMapNotFound: ConfigMap rules"));
  observed.refusal = Refusal{"NameTaken", "Service time exists and is not ours"};
  status = build_status(scaled(), observed, kNow);
  EXPECT_EQ(said(status, kAccepted), "False NameTaken: Service time exists and is not ours");
}

TEST(StatusTest, AnotherScaler) {
  Observed observed = healthy();
  observed.other_scalers = {"HorizontalPodAutoscaler mine"};
  EXPECT_EQ(said(build_status(scaled(), observed, kNow), kScalingActive),
            "False TargetConflict: HorizontalPodAutoscaler mine already scales Deployment time; "
            "remove it, or spec.autoscaling");
  EXPECT_EQ(said(build_status(server_with("{}"), observed, kNow), kScalingActive),
            "False NotConfigured: spec.autoscaling is not set");
  Observed foreign = of_workload(3, 3);
  foreign.other_scalers = {"HorizontalPodAutoscaler a", "ScaledObject b"};
  EXPECT_EQ(
      said(build_status(workload_with(R"({"autoscaling": {}})"), foreign, kNow), kScalingActive),
      "False TargetConflict: HorizontalPodAutoscaler a and ScaledObject b already scale "
      "StatefulSet search; remove it, or spec.autoscaling");
}

TEST(StatusTest, WhatTheServerSaidStays) {
  auto server = scaled();
  Observed observed = healthy();
  EXPECT_FALSE(build_status(server, observed, kNow).server_info);
  observed.server_info = fleet::ServerInfo{"time", "1.2", {"2025-11-25"}, {"tools"}, "6c9d"};
  server.status = build_status(server, observed, kNow);
  EXPECT_EQ(server.status.server_info, observed.server_info);
  EXPECT_EQ(build_status(server, healthy(), kNow), server.status);
}

TEST(StatusTest, TransitionTimesAreKeptWhileTheStatusIsTheSame) {
  auto server = scaled();
  server.status = build_status(server, healthy(), kNow);
  Observed observed = healthy();
  observed.deployment = deployment(3, 0);
  const auto later = build_status(server, observed, kNow + seconds(60) + Duration(1));
  EXPECT_EQ(fleet::find_condition(later, kAccepted)->last_transition, kNow);
  EXPECT_EQ(fleet::find_condition(later, kReady)->last_transition, kNow + seconds(60));
}

TEST(StatusTest, AStepOfTheAutoscalerDoesNotMakeAServerUnready) {
  auto server = scaled();
  Observed observed = healthy();
  server.status = build_status(server, observed, kNow);
  observed.deployment->generation += 1;
  observed.deployment->spec_replicas = 5;
  const auto between = build_status(server, observed, kNow + seconds(5));
  EXPECT_EQ(said(between, kReady), said(server.status, kReady));

  // A new spec of the server itself is not taken for observed, though: that is what `kubectl wait`
  // looks at.
  server.generation += 1;
  const auto edited = build_status(server, observed, kNow + seconds(6));
  const auto* ready = fleet::find_condition(edited, kReady);
  ASSERT_NE(ready, nullptr);
  EXPECT_EQ(ready->observed_generation, server.generation - 1);
}

TEST(StatusTest, ASpecThatCannotBeReadKeepsTheLastGoodState) {
  auto before = scaled();
  Observed observed = healthy();
  observed.scaling = fleet::ScalingStatus{.recommended_replicas = 5};
  before.status = build_status(before, observed, kNow);
  fleet::MCPServer identity;
  identity.name = "time";
  identity.namespace_ = "tools";
  identity.generation = 4;
  identity.status = before.status;
  Observed broken;
  broken.deployment = deployment(3, 3);
  broken.refusal = Refusal{"Invalid", "spec.transport.type must be stdio or streamable-http"};
  const auto status = build_status(identity, broken, kNow + seconds(9));
  EXPECT_EQ(said(status, kAccepted),
            "False Invalid: spec.transport.type must be stdio or streamable-http");
  EXPECT_EQ(said(status, kAvailable), "True ReplicasAvailable: 3 of 3 replicas are available");
  EXPECT_EQ(said(status, kScalingActive), "True Scaling: between 3 and 9 replicas");
  EXPECT_EQ(status.address_url, "http://time.tools.svc/mcp");
  EXPECT_EQ(status.scaling, before.status.scaling);
  EXPECT_EQ(status.observed_generation, 4);
}

TEST(StatusTest, MetricsAreRoundedAndKeepTheirTime) {
  auto server = scaled();
  Observed observed = healthy();
  observed.rule_metrics = {{"mcp_request_duration_seconds_p95", "0.41", "> 0.2", {}}};
  const auto first = build_status(server, observed, kNow);
  ASSERT_EQ(first.scaling->metrics.size(), 3U);
  EXPECT_EQ(first.scaling->metrics[0].current, "63%");
  EXPECT_EQ(first.scaling->metrics[1].current, "99");
  EXPECT_EQ(first.scaling->metrics[2].current, "0.41");
  server.status = first;
  observed.hpa->metrics[1].current = "99123m";
  observed.rule_metrics[0].current = "0.52";
  const auto second = build_status(server, observed, kNow + seconds(30));
  EXPECT_EQ(second.scaling->metrics[1].time, kNow);
  EXPECT_EQ(second.scaling->metrics[2].time, kNow + seconds(30));
}

TEST(StatusTest, RoundingHasTwoDigits) {
  const struct {
    const char* value;
    const char* want;
  } cases[] = {{"1234m", "1200m"}, {"98765", "99k"}, {"0", "0"},     {"7m", "7m"},
               {"105", "110"},     {"", ""},         {"63%", "63%"}, {"odd", "odd"}};
  for (const auto& test : cases) {
    Observed observed = healthy();
    observed.hpa->metrics = {{"m", test.value, "1"}};
    EXPECT_EQ(build_status(scaled(), observed, kNow).scaling->metrics[0].current, test.want);
  }
}

TEST(StatusTest, WhatIsWorthAWrite) {
  const auto stored = build_status(scaled(), healthy(), kNow);
  const struct {
    const char* name;
    void (*change)(fleet::Status&);
    Change want;
  } cases[] = {
      {"nothing", [](fleet::Status&) {}, Change::None},
      {"a metric's time", [](fleet::Status& s) { s.scaling->metrics[0].time += seconds(1); },
       Change::None},
      {"a metric", [](fleet::Status& s) { s.scaling->metrics[0].current = "64%"; },
       Change::Numbers},
      {"sessions", [](fleet::Status& s) { s.active_sessions = 4; }, Change::Numbers},
      {"wording", [](fleet::Status& s) { s.conditions[0].message += "!"; }, Change::Numbers},
      {"a reason", [](fleet::Status& s) { s.conditions[0].reason = "Other"; }, Change::Material},
      {"replicas", [](fleet::Status& s) { s.replicas = 4; }, Change::Material},
      {"the floor", [](fleet::Status& s) { s.scaling->recommended_replicas = 4; },
       Change::Material},
      {"a firing", [](fleet::Status& s) { s.scaling->last_fired["slow"] = kNow; },
       Change::Material},
      {"the generation", [](fleet::Status& s) { s.observed_generation = 9; }, Change::Material},
      {"scaling removed", [](fleet::Status& s) { s.scaling.reset(); }, Change::Material},
  };
  for (const auto& test : cases) {
    auto fresh = stored;
    test.change(fresh);
    EXPECT_EQ(compare(stored, fresh), test.want) << test.name;
    EXPECT_EQ(material_change(stored, fresh), test.want == Change::Material) << test.name;
  }
}

TEST(StatusTest, WhatIsStoredComparesEqual) {
  auto server = scaled();
  const auto first = build_status(server, healthy(), kNow + Duration(123'456'789));
  server.status = fleet::decode_status(fleet::encode_status(first));
  EXPECT_EQ(compare(server.status, build_status(server, healthy(), kNow + seconds(5))),
            Change::None);
}

TEST(StatusTest, LongMessagesAreCut) {
  Observed observed = healthy();
  observed.refusal = Refusal{"Refused", std::string(100'000, 'x')};
  EXPECT_LT(fleet::find_condition(build_status(scaled(), observed, kNow), kReady)->message.size(),
            2100U);
}

}  // namespace
}  // namespace mcpfleet::desired
