#include "scaling/hpa_decode.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mcpfleet::scaling {
namespace {

TEST(DecodeHpa, FillsInWhatTheApiServerWould) {
  const auto spec = decode_hpa(R"({"maxReplicas": 7})");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->min_replicas, 1);
  EXPECT_EQ(spec->max_replicas, 7);
  ASSERT_EQ(spec->metrics.size(), 1U);
  EXPECT_EQ(spec->metrics[0].name, "cpu");
  EXPECT_EQ(spec->metrics[0].amount, 80);
  EXPECT_FALSE(spec->behavior);
}

TEST(DecodeHpa, BehaviorKeepsTheDefaultsOfWhatItDoesNotSay) {
  const auto behavior = decode_hpa_behavior(
      R"({"scaleUp": {"tolerance": "50m", "policies": [{"type": "Percent", "value": 30, "periodSeconds": 60}]},
          "scaleDown": {"selectPolicy": "Min"}})");
  ASSERT_TRUE(behavior) << behavior.error().message;
  EXPECT_EQ(behavior->up.window, Duration::zero());
  EXPECT_EQ(behavior->up.tolerance, 0.05);
  ASSERT_EQ(behavior->up.policies.size(), 1U);
  EXPECT_EQ(behavior->up.policies[0].type, HpaPolicy::Type::Percent);
  EXPECT_EQ(behavior->up.policies[0].value, 30);
  EXPECT_EQ(behavior->up.policies[0].period, std::chrono::seconds(60));
  EXPECT_FALSE(behavior->down.window) << "the controller's";
  EXPECT_EQ(behavior->down.select, HpaSelect::Min);
  ASSERT_EQ(behavior->down.policies.size(), 1U);
  EXPECT_EQ(behavior->down.policies[0].value, 100);
}

TEST(DecodeHpa, NamesTheFieldThatIsWrong) {
  struct Case {
    const char* json;
    const char* want;
  };
  const std::vector<Case> cases{
      {"{}", "spec.maxReplicas must be set"},
      {R"({"maxReplicas": 0})", "spec.maxReplicas must be from 1 to 2147483647, not 0"},
      {R"({"maxReplicas": 1, "metrics": [{"type": "Cpu"}]})",
       "spec.metrics[0].type must be Resource, ContainerResource, Pods, Object or External, not "
       "\"Cpu\""},
      {R"({"maxReplicas": 1, "metrics": [{"type": "Pods", "pods": {"metric": {"name": "a"}, "target": {"value": "1"}}}]})",
       "spec.metrics[0].pods.target must have a target that is more than 0 and of a type that the "
       "metric has"},
      {R"({"maxReplicas": 1, "metrics": [{"type": "External", "external": {"metric": {"name": "a"}, "target": {"averageValue": "0"}}}]})",
       "spec.metrics[0].external.target must have a target that is more than 0 and of a type that "
       "the metric has"},
      {R"({"maxReplicas": 1, "behavior": {"scaleUp": {"stabilizationWindowSeconds": 3601}}})",
       "spec.behavior.scaleUp.stabilizationWindowSeconds must be from 0 to 3600, not 3601"},
      {R"({"maxReplicas": 1, "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 0}]}}})",
       "spec.behavior.scaleDown.policies[0].periodSeconds must be from 1 to 1800, not 0"},
      {"[", "the object is not valid JSON"},
  };
  for (const auto& [json, want] : cases) {
    const auto spec = decode_hpa(json);
    ASSERT_FALSE(spec) << json;
    EXPECT_EQ(spec.error().message, want);
  }
}

}  // namespace
}  // namespace mcpfleet::scaling
