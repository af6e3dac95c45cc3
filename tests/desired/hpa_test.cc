#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desired/desired.h"
#include "servers.h"

namespace mcpfleet::desired {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRequests =
    R"("runtime": {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}})";
constexpr const char* kRule =
    R"("rules": [{"name": "slow", "metric": "mcp_request_duration_seconds_p95", "threshold": "200m", "action": "ScaleUp"}])";

Desired built(const std::string& spec, bool tolerance = true) {
  Context with = context();
  with.hpa_tolerance = tolerance;
  return build(server_with("{" + spec + "}"), with);
}

TEST(HpaTest, TheDefaultsAreTheManifestOfTheGuide) {
  const auto desired = built(std::string(kRequests) + R"(, "autoscaling": {})");
  EXPECT_EQ(find(desired, "HorizontalPodAutoscaler")["spec"], json::parse(R"({
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "time"},
    "minReplicas": 3, "maxReplicas": 50,
    "metrics": [
      {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "server",
        "target": {"type": "Utilization", "averageUtilization": 70}}},
      {"type": "ContainerResource", "containerResource": {"name": "memory", "container": "server",
        "target": {"type": "Utilization", "averageUtilization": 80}}},
      {"type": "Pods", "pods": {"metric": {"name": "mcp_requests_per_second"},
        "target": {"type": "AverageValue", "averageValue": "100"}}}],
    "behavior": {
      "scaleUp": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}]},
      "scaleDown": {"stabilizationWindowSeconds": 300, "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}}})"));
  EXPECT_THAT(desired.notes, IsEmpty());
  EXPECT_FALSE(unwanted(desired, "HorizontalPodAutoscaler"));
}

TEST(HpaTest, ResourcesThatAreNotRequestedAreLeftOutAndSaid) {
  const auto desired = built(R"("autoscaling": {})");
  const json metrics = find(desired, "HorizontalPodAutoscaler")["spec"]["metrics"];
  ASSERT_EQ(metrics.size(), 1U);
  EXPECT_EQ(metrics[0]["type"], "Pods");
  EXPECT_THAT(desired.notes,
              ElementsAre("spec.autoscaling.targets.cpuUtilization is left out, for "
                          "spec.runtime.resources requests no cpu",
                          "spec.autoscaling.targets.memoryUtilization is left out, for "
                          "spec.runtime.resources requests no memory"));
}

TEST(HpaTest, ConcurrencyIsCallsInFlight) {
  const auto desired = built(R"("autoscaling": {"targets": {"concurrency": "2500m"}})");
  EXPECT_EQ(find(desired, "HorizontalPodAutoscaler")["spec"]["metrics"],
            json::parse(
                R"([{"type": "Pods", "pods": {"metric": {"name": "mcp_requests_in_flight"},
           "target": {"type": "AverageValue", "averageValue": "2500m"}}}])"));
}

TEST(HpaTest, SessionsAreLiveSessions) {
  const auto desired = built(R"("autoscaling": {"targets": {"sessions": 20}})");
  EXPECT_EQ(find(desired, "HorizontalPodAutoscaler")["spec"]["metrics"],
            json::parse(R"([{"type": "Pods", "pods": {"metric": {"name": "mcp_active_sessions"},
           "target": {"type": "AverageValue", "averageValue": "20"}}}])"));
}

TEST(HpaTest, WhatRecommendsIsARecommendation) {
  for (
      const char* autoscaling :
      {R"({"targets": {"latency": {"value": "200ms"}}})", R"({"panic": {}})", R"({"forecast": {}})",
       R"({"schedule": [{"name": "day", "start": "0 8 * * *", "duration": "1h", "minReplicas": 5}]})"}) {
    const auto desired = built(R"("autoscaling": )" + std::string(autoscaling));
    const json spec = find(desired, "HorizontalPodAutoscaler")["spec"];
    EXPECT_EQ(spec["metrics"].back()["object"]["metric"]["name"], "mcp_recommended_replicas")
        << autoscaling;
    EXPECT_EQ(spec["behavior"]["scaleUp"]["tolerance"], "0") << autoscaling;
  }
}

TEST(HpaTest, ARiseThatWouldBeSmoothedTwiceIsSaid) {
  constexpr const char* kPanic = R"("autoscaling": {"targets": {"concurrency": 1}, "panic": {}, )";
  const auto twice = built(
      kPanic + std::string(R"("behavior": {"scaleUp": {"stabilizationWindowSeconds": 60}}})"));
  EXPECT_THAT(twice.notes, ElementsAre(HasSubstr("smooths already")));
  const auto once =
      built(kPanic + std::string(R"("behavior": {"scaleUp": {"stabilizationWindowSeconds": 0}}})"));
  EXPECT_THAT(once.notes, IsEmpty());
}

TEST(HpaTest, NobodyElseWritesTheReplicasButWithTheActuatorHpaInModeActive) {
  for (const char* choice :
       {R"("actuator": "Operator")", R"("mode": "DryRun")", R"("mode": "Paused")"}) {
    const auto desired =
        built(R"("autoscaling": {"targets": {"concurrency": 1}, )" + std::string(choice) + "}");
    EXPECT_EQ(find(desired, "HorizontalPodAutoscaler"), nullptr) << choice;
    EXPECT_TRUE(unwanted(desired, "HorizontalPodAutoscaler")) << choice;
    EXPECT_THAT(desired.notes, IsEmpty()) << choice;
  }
}

TEST(HpaTest, RulesAreARecommendationWithoutTolerance) {
  const json spec = find(built(R"("autoscaling": {"targets": {}, )" + std::string(kRule) + "}"),
                         "HorizontalPodAutoscaler")["spec"];
  EXPECT_EQ(spec["metrics"], json::parse(R"([{"type": "Object", "object": {
      "describedObject": {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer", "name": "time"},
      "metric": {"name": "mcp_recommended_replicas"}, "target": {"type": "AverageValue", "averageValue": "1"}}}])"));
  EXPECT_EQ(spec["behavior"]["scaleUp"]["tolerance"], "0");
  EXPECT_EQ(spec["behavior"]["scaleDown"]["tolerance"], "0");
}

struct ToleranceCase {
  const char* name;
  const char* behavior;
  bool supported;
  const char* want_up;    // text; "": absent
  const char* want_down;  // text; "": absent
  const char* want_note;  // part; "": none
};

TEST(HpaTest, Tolerance) {
  const ToleranceCase cases[] = {
      {"supported", R"({})", true, "0", "0", ""},
      {"one direction given", R"({"scaleUp": {"tolerance": "50m"}})", true, "50m", "0", ""},
      {"not supported", R"({"scaleUp": {"stabilizationWindowSeconds": 5}})", false, "", "",
       "a recommendation within 10 % of the present replicas is not followed"},
      {"asked for and not supported", R"({"scaleDown": {"tolerance": "50m"}})", false, "", "",
       "spec.autoscaling.behavior: tolerance is left out"},
  };
  for (const auto& test : cases) {
    const auto desired = built(R"("autoscaling": {"behavior": )" + std::string(test.behavior) +
                                   R"(, "targets": {}, )" + kRule + "}",
                               test.supported);
    const json behavior = find(desired, "HorizontalPodAutoscaler")["spec"]["behavior"];
    const auto tolerance = [&](const char* direction) {
      return behavior.contains(direction) ? behavior[direction].value("tolerance", "") : "";
    };
    EXPECT_EQ(tolerance("scaleUp"), test.want_up) << test.name;
    EXPECT_EQ(tolerance("scaleDown"), test.want_down) << test.name;
    if (*test.want_note == '\0')
      EXPECT_THAT(desired.notes, IsEmpty()) << test.name;
    else
      EXPECT_THAT(desired.notes, ElementsAre(HasSubstr(test.want_note))) << test.name;
  }
}

TEST(HpaTest, NoAutoscalingWantsNoHpa) {
  const auto desired = built(R"("runtime": {"replicas": 2})");
  EXPECT_EQ(find(desired, "HorizontalPodAutoscaler"), nullptr);
  EXPECT_TRUE(unwanted(desired, "HorizontalPodAutoscaler"));
  EXPECT_THAT(desired.notes, IsEmpty());
}

TEST(HpaTest, NothingLeftToScaleOnWantsNoHpaAndSaysSo) {
  const auto desired = built(R"("autoscaling": {"targets": {"cpuUtilization": 50}})");
  EXPECT_EQ(find(desired, "HorizontalPodAutoscaler"), nullptr);
  EXPECT_TRUE(unwanted(desired, "HorizontalPodAutoscaler"));
  EXPECT_THAT(desired.notes, ElementsAre(HasSubstr("cpuUtilization is left out"),
                                         HasSubstr("nothing is left to scale on")));
}

}  // namespace
}  // namespace mcpfleet::desired
