// The HPA's arithmetic where the real controller cannot be brought easily, and what callers rely
// on. What it decides otherwise is in hpa_cases.json.
#include "scaling/hpa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "rules.h"

namespace mcpfleet::scaling {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

HpaMetric external(HpaTarget target, std::int64_t milli) {
  return {HpaSource::External, "backlog", "", "", target, milli};
}
HpaMetric calls(std::int64_t milli) {
  return {HpaSource::Pods, "calls", "", "", HpaTarget::AverageValue, milli};
}
HpaMetric cpu(int percent) {
  return {HpaSource::Resource, "cpu", "", "", HpaTarget::Utilization, percent};
}

// Down as quickly as up.
HpaBehavior quick() {
  HpaBehavior behavior;
  behavior.down.window = Duration::zero();
  return behavior;
}

HpaPod old_pod(int count) {
  return {count, HpaPod::Phase::Running, HpaPod::Ready::True,
          false, kStart - seconds(3500), kStart - seconds(3600)};
}

HpaSample sample(std::optional<std::int64_t> milli, std::optional<std::int64_t> request) {
  return {milli, kStart, seconds(30), request};
}

// One sync of a new HPA that sees one External metric.
struct ByValue {
  const char* what;
  HpaMetric metric;
  int spec_replicas;
  int status_replicas;
  std::vector<std::int64_t> values;
  int ready;
  int want;  // what the metric proposes
};

class HpaByValue : public testing::TestWithParam<ByValue> {};

TEST_P(HpaByValue, Proposes) {
  const auto& test = GetParam();
  const HpaSpec spec{0, std::numeric_limits<int>::max(), {test.metric}, std::nullopt};
  const std::vector<HpaPod> pods{old_pod(test.ready)};
  const std::vector<HpaReading> readings{{"", {}, test.values}};
  Hpa hpa;
  hpa.sync(spec, {}, {test.spec_replicas, test.status_replicas, pods, readings}, kStart);
  ASSERT_EQ(hpa.proposals().size(), 1U);
  EXPECT_EQ(hpa.proposals()[0].problem, HpaProblem::None);
  EXPECT_EQ(hpa.proposals()[0].replicas, test.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, HpaByValue,
    testing::Values(ByValue{"from zero the ratio itself is asked for",
                            external(HpaTarget::Value, 10'000),
                            0,
                            0,
                            {35'000},
                            0,
                            4},
                    ByValue{
                        "and it stays zero", external(HpaTarget::Value, 10'000), 0, 0, {0}, 0, 0},
                    ByValue{"a little is one", external(HpaTarget::Value, 10'000), 0, 0, {1}, 0, 1},
                    ByValue{"an average from zero",
                            external(HpaTarget::AverageValue, 10'000),
                            0,
                            0,
                            {35'000},
                            0,
                            4},
                    ByValue{"sums do not wrap",
                            external(HpaTarget::Value, 1),
                            1,
                            1,
                            {kLargest, kLargest},
                            1,
                            std::numeric_limits<int>::max()},
                    ByValue{"averages neither",
                            external(HpaTarget::AverageValue, 1),
                            1,
                            1,
                            {kLargest, kLargest},
                            1,
                            std::numeric_limits<int>::max()},
                    ByValue{"below zero is below the tolerance",
                            external(HpaTarget::Value, 10'000),
                            5,
                            5,
                            {-20'000},
                            5,
                            -10},
                    ByValue{"but an average takes it for too much",
                            external(HpaTarget::AverageValue, 1),
                            5,
                            5,
                            {-20'000},
                            5,
                            std::numeric_limits<int>::max()}),
    [](const auto& test) { return std::to_string(test.index); });

TEST(Hpa, AnObjectsAverageThatFitsNoReplicasWraps) {
  const HpaSpec spec{
      1, 10, {{HpaSource::Object, "queue", "", "Service", HpaTarget::AverageValue, 1}}, quick()};
  const std::vector<std::int64_t> values{std::int64_t{1} << 32};
  const std::vector<HpaReading> readings{{"", {}, values}};
  Hpa hpa;
  const auto decision = hpa.sync(spec, {}, {3, 3, {}, readings}, kStart);
  EXPECT_EQ(hpa.proposals()[0].replicas, 0) << "as Kubernetes on amd64";
  EXPECT_EQ(decision.replicas, 1);
}

TEST(Hpa, ZeroIsOffUnlessTheMinimumIsZero) {
  const std::vector<std::int64_t> values{50'000};
  const std::vector<HpaReading> readings{{"", {}, values}};
  HpaSpec spec{1, 10, {external(HpaTarget::AverageValue, 10'000)}, quick()};
  Hpa off;
  EXPECT_FALSE(off.sync(spec, {}, {0, 0, {}, readings}, kStart).rescale);
  EXPECT_STREQ(off.condition(HpaConditionType::ScalingActive).reason, "ScalingDisabled");
  EXPECT_EQ(off.condition(HpaConditionType::ScalingLimited).status, HpaCondition::Status::Absent);
  spec.min_replicas = 0;
  Hpa on;
  EXPECT_EQ(on.sync(spec, {}, {0, 0, {}, readings}, kStart).replicas, 4)
      << "four or 100 % at a time";
}

TEST(Hpa, StrangersCountInAveragesButNotInUtilization) {
  const std::vector<HpaPod> pods{old_pod(2)};
  const std::vector<HpaSample> samples{sample(10'000, 10'000), sample(100'000, std::nullopt)};
  const std::vector<HpaReading> readings{{"", samples, {}}};
  Hpa average;
  average.sync({1, 50, {calls(10'000)}, quick()}, {}, {2, 2, pods, readings}, kStart);
  EXPECT_EQ(average.proposals()[0].usage_milli, 40'000);
  EXPECT_EQ(average.proposals()[0].replicas, 8);
  Hpa utilization;
  utilization.sync({1, 50, {cpu(100)}, quick()}, {}, {2, 2, pods, readings}, kStart);
  EXPECT_EQ(utilization.proposals()[0].utilization, 100);
  EXPECT_EQ(utilization.proposals()[0].replicas, 2);
}

TEST(Hpa, ReadingsThatAreNotThereAreEmptyAnswers) {
  Hpa hpa;
  const HpaSpec spec{1, 10, {calls(10'000), cpu(50)}, std::nullopt};
  EXPECT_TRUE(hpa.sync(spec, {}, {2, 2, {}, {}}, kStart).failed);
  EXPECT_EQ(hpa.message(HpaConditionType::ScalingActive, spec, {}),
            "the HPA was unable to compute the replica count: unable to get metric calls: no "
            "metrics returned "
            "from custom metrics API");
}

TEST(Hpa, AFailureLeavesTheDesiredReplicasOfTheStatus) {
  const HpaSpec spec{1, 10, {external(HpaTarget::AverageValue, 10'000)}, quick()};
  const std::vector<std::int64_t> values{50'000};
  const std::vector<HpaReading> good{{"", {}, values}};
  const std::vector<HpaReading> bad{{"it is away", {}, {}}};
  Hpa hpa;
  EXPECT_EQ(hpa.sync(spec, {}, {4, 4, {}, good}, kStart).replicas, 5);
  const auto decision = hpa.sync(spec, {}, {6, 5, {}, bad}, kStart + seconds(15));
  EXPECT_TRUE(decision.failed);
  EXPECT_EQ(decision.replicas, 6);
  EXPECT_EQ(hpa.status_desired(), 5);
  EXPECT_THAT(hpa.message(HpaConditionType::ScalingActive, spec, bad), HasSubstr("it is away"));
  EXPECT_STREQ(hpa.condition(HpaConditionType::ScalingLimited).reason, "DesiredWithinRange")
      << "as before";
}

// A crowd as one group, as groups, and pod by pod is the same.
TEST(Hpa, PodsThatAreAlikeMayBeGrouped) {
  std::mt19937 random(7);  // the same cases each time
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 2000; ++round) {
    std::vector<HpaPod> groups;
    std::vector<HpaPod> singles;
    std::vector<HpaSample> of_groups;
    std::vector<HpaSample> of_singles;
    for (int i = 0; i <= below(4); ++i) {
      HpaPod pod = old_pod(1 + below(5));
      pod.phase = below(4) == 0 ? HpaPod::Phase::Pending : HpaPod::Phase::Running;
      pod.ready = below(4) == 0 ? HpaPod::Ready::False : HpaPod::Ready::True;
      pod.deleting = below(6) == 0;
      pod.ready_since = kStart - seconds(3600 - below(60));
      const HpaSample of =
          sample(below(4) == 0 ? std::nullopt : std::optional<std::int64_t>(below(300)), 100);
      groups.push_back(pod);
      of_groups.push_back(of);
      for (int k = 0; k < pod.count; ++k) {
        singles.push_back(pod);
        singles.back().count = 1;
        of_singles.push_back(of);
      }
    }
    const HpaSpec spec{1, 100, {cpu(50), calls(70)}, quick()};
    const std::vector<HpaReading> grouped(2, HpaReading{"", of_groups, {}});
    const std::vector<HpaReading> single(2, HpaReading{"", of_singles, {}});
    const int replicas = static_cast<int>(singles.size());
    Hpa by_group;
    Hpa by_pod;
    const auto a = by_group.sync(spec, {}, {replicas, replicas, groups, grouped}, kStart);
    const auto b = by_pod.sync(spec, {}, {replicas, replicas, singles, single}, kStart);
    ASSERT_EQ(a.replicas, b.replicas);
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_EQ(by_group.proposals()[i].problem, by_pod.proposals()[i].problem);
      ASSERT_EQ(by_group.proposals()[i].replicas, by_pod.proposals()[i].replicas);
      ASSERT_EQ(by_group.proposals()[i].usage_milli, by_pod.proposals()[i].usage_milli);
      ASSERT_EQ(by_group.proposals()[i].utilization, by_pod.proposals()[i].utilization);
    }
  }
}

// Whatever it is told, within the limits, and the same twice.
TEST(Hpa, LimitsAlwaysHold) {
  std::mt19937_64 random(11);  // the same cases each time
  const std::vector<std::int64_t> extremes{
      kLargest, std::numeric_limits<std::int64_t>::min(), -1, 0, 1, 4'000'000'000};
  for (int round = 0; round < 2000; ++round) {
    const auto any = [&] {
      return random() % 3 == 0 ? extremes[random() % extremes.size()]
                               : static_cast<std::int64_t>(random() % 1'000'000);
    };
    const int least = static_cast<int>(random() % 5);
    HpaSpec spec{
        least,
        least + 1 + static_cast<int>(random() % 1'000'000'000),
        {cpu(1 + static_cast<int>(random() % 200)), calls(1 + static_cast<int>(random() % 1000)),
         external(random() % 2 == 0 ? HpaTarget::Value : HpaTarget::AverageValue, 1)},
        std::nullopt};
    if (random() % 2 == 0) spec.behavior = quick();
    std::vector<HpaPod> pods{old_pod(1 + static_cast<int>(random() % 1'000'000'000)), old_pod(1)};
    std::vector<HpaSample> samples{sample(any(), any()), sample(any(), any()),
                                   sample(any(), any())};
    const std::vector<std::int64_t> values{any(), any()};
    const std::vector<HpaReading> readings{{"", samples, {}}, {"", samples, {}}, {"", {}, values}};
    Hpa hpa;
    Hpa again;
    int replicas = static_cast<int>(random() % 2'000'000'000);
    for (int i = 0; i < 5; ++i) {
      const WallTime now = kStart + seconds(static_cast<int>(random() % 600));  // back and forth
      const auto decision = hpa.sync(spec, {}, {replicas, replicas, pods, readings}, now);
      const auto same = again.sync(spec, {}, {replicas, replicas, pods, readings}, now);
      ASSERT_EQ(decision.replicas, same.replicas);
      if (replicas != 0 || least == 0) {
        ASSERT_GE(decision.replicas, decision.failed ? 0 : least);
        ASSERT_LE(decision.replicas, spec.max_replicas);
      }
      replicas = decision.replicas;
    }
  }
}

}  // namespace
}  // namespace mcpfleet::scaling
