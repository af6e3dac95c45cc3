#include "simulation/hpa_policy.h"

#include <gtest/gtest.h>

#include "simulation/keda.h"
#include "simulation/replay.h"
#include "tests/simulation/workloads.h"

namespace mcpfleet::simulation {
namespace {

using scaling::HpaMetric;
using scaling::HpaSource;
using scaling::HpaTarget;

TEST(Pipeline, AValueIsAsOldAsTheLastScrape) {
  struct Case {
    Pipeline pipeline;
    std::int64_t now;
    std::int64_t newest;
  };
  for (const auto& [pipeline, now, newest] :
       std::vector<Case>{{{.every = 1, .delay = 1}, 10, 9},
                         {{.every = 15, .phase = 4, .delay = 1}, 4, -1},
                         {{.every = 15, .phase = 4, .delay = 1}, 5, 4},
                         {{.every = 15, .phase = 4, .delay = 1}, 19, 4},
                         {{.every = 15, .phase = 4, .delay = 1}, 20, 19},
                         {{.every = 60, .phase = 0, .delay = 0}, 119, 60}})
    EXPECT_EQ(pipeline.newest(now), newest) << now;
}

HpaPolicy rate_policy(HpaSource source, const Pipeline& pipeline, int phase) {
  const HpaMetric rate{.source = source,
                       .name = "mcp_requests_per_second",
                       .target = HpaTarget::AverageValue,
                       .amount = 70'000};
  return {{1, 100, {rate}, std::nullopt},
          {{HpaSignal::Kind::Rate, pipeline}},
          plain_workload().pod,
          phase};
}

// The second in which the replicas first were `replicas` or more; -1: never.
std::int64_t reached(const Timeline& timeline, int replicas) {
  for (std::size_t i = 0; i < timeline.moments.size(); ++i)
    if (timeline.moments[i].replicas >= replicas) return static_cast<std::int64_t>(i);
  return -1;
}

// 70 calls/s are a pod, 190 are three. The sync at 107 sees (70 × 24 s + 190 × 6 s) / 30 s = 94,
// that at 122 sees 154, which is 77 for each of two pods, within the tolerance; that at 137 sees
// all.
TEST(HpaPolicy, SeesAStepThroughItsWindow) {
  Trace trace;
  append(trace, 70, 100);
  append(trace, 190, 200);
  for (const HpaSource source : {HpaSource::Pods, HpaSource::External}) {
    HpaPolicy policy = rate_policy(source, {.every = 1, .window = 30, .delay = 1}, 2);
    Workload workload = plain_workload();
    workload.pod.concurrency = 100;  // nobody waits, so that what ends is what comes
    const Timeline timeline = replay(trace, workload, policy, 1);
    EXPECT_EQ(reached(timeline, 2), 107);
    EXPECT_EQ(reached(timeline, 3), 137);
    EXPECT_EQ(timeline.moments.back().replicas, 3);
  }
}

TEST(HpaPolicy, ASlowerPipelineReactsLater) {
  Trace trace;
  append(trace, 70, 200);
  append(trace, 190, 400);
  std::int64_t before = 0;
  for (const int interval : {1, 15, 30, 60}) {
    HpaPolicy policy =
        rate_policy(HpaSource::Pods, {.every = interval, .window = interval, .delay = 1}, 2);
    const Timeline timeline = replay(trace, plain_workload(), policy, 1);
    EXPECT_GE(reached(timeline, 3), before) << interval;
    before = reached(timeline, 3);
    EXPECT_GT(before, 200);
  }
  EXPECT_GT(before, 230);
}

TEST(HpaPolicy, CpuIsOfThoseThatServe) {
  Trace trace;
  append(trace, 250, 300);
  const HpaMetric cpu{.amount = 70};
  HpaPolicy policy({1, 100, {cpu}, std::nullopt},
                   {{HpaSignal::Kind::Cpu, {.every = 15, .window = 15, .delay = 1}}},
                   plain_workload().pod, 0);
  // 250 of 400 calls/s are 62 % of the CPU: 0.89 of the target, just below the tolerance of a
  // tenth: ceil(4 × 0.89) = 4.
  const Timeline timeline = replay(trace, plain_workload(), policy, 4);
  EXPECT_EQ(timeline.moments.back().replicas, 4);
}

TEST(Keda, GoesToZeroAndComesBack) {
  Trace trace;
  append(trace, 50, 60);
  append(trace, 0, 600);
  append(trace, 50, 60);
  const Pipeline pipeline{.every = 30, .window = 30, .delay = 1};
  KedaPolicy policy(rate_policy(HpaSource::External, pipeline, 3), pipeline, 5);
  const Timeline timeline = replay(trace, plain_workload(), policy, 1);
  EXPECT_EQ(timeline.moments[350].replicas, 1) << "300 s have not gone by";
  EXPECT_EQ(timeline.moments[450].replicas, 0);
  EXPECT_EQ(timeline.moments[659].replicas, 0);
  // The scrape at 690 is the first to see calls, and the poll at 695 the first to see the scrape.
  EXPECT_EQ(timeline.moments[694].replicas, 0);
  EXPECT_EQ(timeline.moments[695].replicas, 1);
}

}  // namespace
}  // namespace mcpfleet::simulation
