// How fast the HPA moves: tables of syncs 15 s apart.
#include "scaling/hpa_behavior.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules.h"

namespace mcpfleet::scaling {
namespace {

using Type = HpaPolicy::Type;

HpaPolicy policy(Type type, int value, int period) { return {type, value, seconds(period)}; }

HpaBehavior behavior(HpaScalingRules up, HpaScalingRules down) {
  return {std::move(up), std::move(down)};
}

HpaScalingRules rules(int window, HpaSelect select, std::vector<HpaPolicy> policies) {
  return {seconds(window), select, std::move(policies), std::nullopt};
}

HpaScalingRules free_up() { return rules(0, HpaSelect::Max, {policy(Type::Percent, 1000, 15)}); }
HpaScalingRules free_down() { return rules(0, HpaSelect::Max, {policy(Type::Percent, 100, 15)}); }

struct Course {
  const char* what;
  std::optional<HpaBehavior> behavior;
  int from;
  std::vector<int> desired;  // by the metrics, sync by sync
  std::vector<int> want;     // what the replicas become
};

class HpaOverTime : public testing::TestWithParam<Course> {};

TEST_P(HpaOverTime, Moves) {
  const Course& course = GetParam();
  const HpaSpec spec{1, 100, {HpaMetric{}}, course.behavior};
  HpaMemory memory;
  int replicas = course.from;
  WallTime now = kStart;
  std::vector<int> got;
  for (const int desired : course.desired) {
    memory.begin(replicas, now);
    const int to = normalize(spec, {}, replicas, desired, memory, now).replicas;
    if (to != replicas) memory.changed(spec, replicas, to, now);
    got.push_back(replicas = to);
    now += seconds(15);
  }
  EXPECT_EQ(got, course.want) << course.what;
}

INSTANTIATE_TEST_SUITE_P(
    Table, HpaOverTime,
    testing::Values(
        Course{"without a behavior it doubles, at least to four",
               std::nullopt,
               1,
               {50, 50, 50, 50, 50},
               {4, 8, 16, 32, 50}},
        Course{"the defaults: 100 % or four in 15 s, the end of a period is not in it",
               HpaBehavior{},
               1,
               {50, 50, 50, 50},
               {5, 10, 20, 40}},
        Course{"a window down keeps the highest in it",
               behavior(free_up(), rules(45, HpaSelect::Max, {policy(Type::Percent, 100, 15)})),
               9,
               {9, 5, 3, 4, 4, 4, 2},
               {9, 9, 9, 5, 4, 4, 4}},
        Course{"a window up keeps the lowest in it",
               behavior(rules(45, HpaSelect::Max, {policy(Type::Percent, 1000, 15)}), free_down()),
               2,
               {2, 8, 9, 6, 7, 7},
               {2, 2, 2, 6, 6, 6}},
        Course{"pods in a period of 60 s",
               behavior(rules(0, HpaSelect::Max, {policy(Type::Pods, 3, 60)}), free_down()),
               2,
               {20, 20, 20, 20, 20, 20, 20, 20, 20},
               {5, 5, 5, 5, 8, 8, 8, 8, 11}},
        Course{"percent of the period's beginning",
               behavior(rules(0, HpaSelect::Max, {policy(Type::Percent, 50, 30)}), free_down()),
               4,
               {5, 20, 20, 20, 20},
               {5, 6, 8, 9, 12}},
        Course{"the smaller of two",
               behavior(rules(0, HpaSelect::Min,
                              {policy(Type::Pods, 2, 15), policy(Type::Pods, 3, 45)}),
                        free_down()),
               1,
               {20, 20, 20, 20, 20},
               {3, 4, 4, 6, 7}},
        Course{"down by pods in a period",
               behavior(free_up(), rules(0, HpaSelect::Max, {policy(Type::Pods, 2, 30)})),
               9,
               {1, 1, 1, 1, 1},
               {7, 7, 5, 5, 3}},
        Course{"what went down may come back beside what may come anyway",
               behavior(rules(0, HpaSelect::Max, {policy(Type::Pods, 1, 60)}), free_down()),
               10,
               {4, 20, 20, 20, 20},
               {4, 11, 11, 11, 11}},
        Course{"down is switched off",
               behavior(free_up(), rules(0, HpaSelect::Disabled, {})),
               5,
               {3, 7, 1},
               {5, 7, 7}}),
    [](const auto& test) { return std::to_string(test.index); });

TEST(HpaMemory, StaysAsLongAsTheWindows) {
  HpaSpec spec{1, 1000, {HpaMetric{}}, HpaBehavior{}};
  HpaMemory memory;
  int replicas = 5;
  WallTime now = kStart;
  for (int i = 0; i < 10'000; ++i, now += seconds(15)) {
    memory.begin(replicas, now);
    const int to = normalize(spec, {}, replicas, i % 2 == 0 ? 9 : 3, memory, now).replicas;
    if (to != replicas) memory.changed(spec, replicas, to, now);
    replicas = to;
  }
  EXPECT_LE(memory.recommendations.size(), 22U) << "5 minutes of 15 s each";
  EXPECT_LE(memory.ups.size() + memory.downs.size(), 4U);
}

TEST(HpaMemory, AClockThatJumpsBackDelays) {
  const HpaSpec spec{1, 100, {HpaMetric{}}, std::nullopt};
  HpaMemory memory;
  memory.begin(8, kStart);
  EXPECT_EQ(normalize(spec, {}, 8, 8, memory, kStart).replicas, 8);
  EXPECT_EQ(normalize(spec, {}, 8, 2, memory, kStart - seconds(3600)).replicas, 8);
}

TEST(HpaMemory, AWindowOfZeroHoldsNothingThatWasFound) {
  const HpaSpec spec{1, 100, {HpaMetric{}}, std::nullopt};
  HpaSettings settings;
  settings.downscale_stabilization = Duration::zero();
  HpaMemory memory;
  memory.begin(8, kStart);
  EXPECT_EQ(normalize(spec, settings, 8, 2, memory, kStart).replicas, 2);
}

}  // namespace
}  // namespace mcpfleet::scaling
