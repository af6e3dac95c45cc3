#include <gtest/gtest.h>

#include "desired/desired.h"
#include "servers.h"

namespace mcpfleet::desired {
namespace {

constexpr const char* kScaled =
    R"({"runtime": {"replicas": 2}, "autoscaling": {"minReplicas": 3, "maxReplicas": 9}})";
constexpr const char* kFixed = R"({"runtime": {"replicas": 2}})";
constexpr const char* kNothingToScaleOn =
    R"({"autoscaling": {"minReplicas": 3, "maxReplicas": 9, "targets": {"cpuUtilization": 50}}})";

constexpr const char* kOperator =
    R"({"autoscaling": {"actuator": "Operator", "minReplicas": 3, "maxReplicas": 9}})";
constexpr const char* kDryRun =
    R"({"autoscaling": {"mode": "DryRun", "minReplicas": 3, "maxReplicas": 9}})";

struct ReplicasCase {
  const char* name;
  const char* spec;
  std::optional<ObservedDeployment> live;
  std::optional<int> want;
};

ObservedDeployment live(int replicas, ReplicasOwner owner, std::optional<int> applied = 2) {
  ObservedDeployment deployment;
  deployment.spec_replicas = replicas;
  deployment.replicas_owner = owner;
  deployment.runtime_replicas = applied;
  return deployment;
}

TEST(ReplicasTest, Decisions) {
  const ReplicasCase cases[] = {
      {"created at the minimum", kScaled, std::nullopt, 3},
      {"kept while only we own it", kScaled, live(5, ReplicasOwner::Ours), 5},
      {"left to the HPA once it wrote", kScaled, live(5, ReplicasOwner::Autoscaler), std::nullopt},
      {"left alone after kubectl scale, too", kScaled, live(5, ReplicasOwner::Other), std::nullopt},
      {"not reset to 1 when autoscaling begins", kScaled, live(2, ReplicasOwner::Ours), 2},
      {"without an HPA, within the limits", kNothingToScaleOn, live(1, ReplicasOwner::Ours), 3},
      {"without an HPA, as it is", kNothingToScaleOn, live(7, ReplicasOwner::Other), 7},
      {"our own actuator, created", kOperator, std::nullopt, 3},
      {"our own actuator, before it wrote", kOperator, live(5, ReplicasOwner::Ours), 5},
      {"our own actuator, once it wrote", kOperator, live(5, ReplicasOwner::Autoscaler),
       std::nullopt},
      {"dry run beyond the limits", kDryRun, live(20, ReplicasOwner::Ours), 20},
      {"dry run after the HPA wrote", kDryRun, live(5, ReplicasOwner::Autoscaler), std::nullopt},
      {"fixed, created", kFixed, std::nullopt, 2},
      {"fixed, as it is", kFixed, live(2, ReplicasOwner::Ours), 2},
      {"fixed, an edit of the spec", kFixed, live(1, ReplicasOwner::Ours, 1), 2},
      {"fixed, kubectl scale is put right", kFixed, live(7, ReplicasOwner::Other), 2},
      {"an HPA by hand", kFixed, live(7, ReplicasOwner::Autoscaler), std::nullopt},
      {"an HPA by hand, and an edit", kFixed, live(7, ReplicasOwner::Autoscaler, 1), 2},
      {"autoscaling removed after the HPA wrote", kFixed, live(6, ReplicasOwner::Autoscaler),
       std::nullopt},
      {"autoscaling removed before it wrote", kFixed, live(6, ReplicasOwner::Ours), 6},
      {"never applied by us", kFixed, live(6, ReplicasOwner::Other, std::nullopt), 2},
  };
  for (const auto& test : cases) {
    const ObservedDeployment* deployment = test.live ? &*test.live : nullptr;
    EXPECT_EQ(decide_replicas(server_with(test.spec), deployment), test.want) << test.name;
  }
}

}  // namespace
}  // namespace mcpfleet::desired
