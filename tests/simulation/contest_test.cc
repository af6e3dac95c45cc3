#include "simulation/contest.h"

#include <gtest/gtest.h>

#include "simulation/generate.h"
#include "simulation/population.h"
#include "tests/simulation/workloads.h"

namespace mcpfleet::simulation {
namespace {

fleet::MCPServer plain_server() {
  fleet::MCPServer server;
  server.name = "simulated";
  server.namespace_ = "default";
  server.image.ref = "simulated";
  server.autoscaling = fleet::Autoscaling{
      .min_replicas = 1,
      .max_replicas = 100,
      .targets = {.requests_per_second_milli = 70'000},
      .rules = {},
      .behavior = R"({"scaleUp":{"stabilizationWindowSeconds":0,"policies":[]}})"};
  return server;
}

Contest contest_on(const char* trace) {
  return {plain_server(), plain_workload(), generate(*parse_shape(trace), trace), 1};
}

TEST(Contest, NobodyLosesCallsFromSight) {
  for (const char* trace : {"steps", "spike:base=0", "noise:seconds=1800"}) {
    const Contest contest = contest_on(trace);
    for (const Contestant& who : contestants()) {
      const auto standing = contest.run(who);
      ASSERT_TRUE(standing) << who.name << ": " << standing.error().message;
      double served = 0;
      for (const Moment& moment : standing->timeline.moments) served += moment.served;
      const Score& score = standing->score;
      EXPECT_NEAR(score.requests, served + score.lost + score.unserved, 1e-3) << who.name;
      EXPECT_LE(score.peak_replicas, 100);
      EXPECT_GT(score.pod_seconds, 0);
    }
  }
}

TEST(Contest, TheSameAgainIsTheSame) {
  for (const Contestant& who : contestants()) {
    const auto one = contest_on("steps").run(who);
    const auto two = contest_on("steps").run(who);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->score.pod_seconds, two->score.pod_seconds) << who.name;
    EXPECT_EQ(one->score.late, two->score.late) << who.name;
    EXPECT_EQ(one->score.over_seconds, two->score.over_seconds) << who.name;
  }
}

TEST(Contest, NobodyWhoIsNeverOverDoesItWithLessThanTheOracle) {
  for (const char* trace : {"steps", "ramp", "spike", "noise"}) {
    const Contest contest = contest_on(trace);
    for (const Contestant& who : contestants()) {
      const auto standing = contest.run(who);
      ASSERT_TRUE(standing);
      if (standing->score.late + standing->score.lost > 1e-6) continue;
      EXPECT_GE(standing->score.pod_ratio(), 1 - 1e-9) << who.name << " on " << trace;
    }
  }
}

TEST(Contest, OtherPhasesAreAnotherRun) {
  const Trace trace = generate(*parse_shape("steps"), "steps");
  const Contestant& who = *find_contestant("hpa-prometheus-30s");
  const auto one = Contest(plain_server(), plain_workload(), trace, 1).run(who);
  const auto two = Contest(plain_server(), plain_workload(), trace, 3).run(who);
  EXPECT_NE(one->score.pod_seconds, two->score.pod_seconds);
}

TEST(Contest, SaysWhatCannotBeSimulated) {
  fleet::MCPServer server = plain_server();
  server.autoscaling->targets = {.memory_utilization = 80};
  server.runtime.requests_memory = true;
  const Contest contest(server, plain_workload(), {"", {1, 2, 3}}, 1);
  const auto standing = contest.run(*find_contestant("mcpfleet-hpa"));
  ASSERT_FALSE(standing);
  EXPECT_EQ(standing.error().message,
            "spec.autoscaling has no target or rule that can be simulated: the model has requests, "
            "calls in flight, CPU and latency");
}

TEST(Population, IsTheSumOfItsServers) {
  const Contestant& who = *find_contestant("mcpfleet-hpa");
  const Population population{.servers = 20, .hours = 2};
  const auto one = simulate(population, who, plain_server(), plain_workload());
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->server_seconds, 20 * 2 * 3600);
  EXPECT_GE(one->peak_pods, 20);
  EXPECT_GE(one->pod_seconds, one->server_seconds);
  EXPECT_NEAR(one->calls.arrived, one->calls.served + one->calls.lost, 1000);
  const auto two = simulate(population, who, plain_server(), plain_workload());
  EXPECT_EQ(one->pod_seconds, two->pod_seconds);
  EXPECT_EQ(one->calls.late, two->calls.late);
}

TEST(Population, CannotBeOfThoseWhoKnowTheTrace) {
  EXPECT_FALSE(simulate({.servers = 1, .hours = 1}, *find_contestant("oracle"), plain_server(),
                        plain_workload()));
}

}  // namespace
}  // namespace mcpfleet::simulation
