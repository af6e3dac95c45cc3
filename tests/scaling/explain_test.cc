#include "scaling/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "facts.h"
#include "scaling/reasons.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr Signal kRate = Signal::RequestsPerSecond;

std::string said(const Life& life, const Verdict& verdict) { return explain(life.policy, verdict); }

TEST(ExplainTest, AsAPersonWouldSayIt) {
  Life life(rate_policy());
  EXPECT_EQ(said(life, life.second({{kRate, 412}})),
            "mcp_requests_per_second 412 at 4 ready pods is 103 a pod, over the target of 50, so "
            "4 → 9 replicas");
  EXPECT_EQ(said(life, life.second({{kRate, 100}})),
            "mcp_requests_per_second 100 at 9 ready pods is 11.1 a pod, under the target of 50, "
            "so 9 → 2 replicas");
  EXPECT_EQ(said(life, life.second({{kRate, 104}})),
            "mcp_requests_per_second 104 at 2 ready pods is 52 a pod, and carried by the present "
            "replicas at the target of 50, so 2 replicas stay");
  EXPECT_EQ(said(life, life.second({{kRate, 0}})),
            "mcp_requests_per_second 0: nothing is carried, so 2 → 1 replicas (0 wanted, but "
            "minReplicas is 1)");
}

TEST(ExplainTest, Windows) {
  Life life(rate_policy());
  life.policy.panic = Panic{};
  EXPECT_EQ(said(life, life.seconds(60, {{kRate, 250}})),
            "mcp_requests_per_second 250 over 60s at 5 ready pods is 50 a pod, and carried by the "
            "present replicas at the target of 50, so 5 replicas stay");
  life.second({{kRate, 4000}});
  EXPECT_THAT(said(life, life.second({{kRate, 4000}})),
              HasSubstr("panicking since a short load was far over its target: "
                        "mcp_requests_per_second at least"));
}

TEST(ExplainTest, WhatClips) {
  Life life(rate_policy());
  life.policy.max_replicas = 6;
  life.policy.behavior.down.stabilization = seconds(300);
  EXPECT_THAT(said(life, life.second({{kRate, 412}})),
              HasSubstr("so 4 → 6 replicas (9 wanted, but maxReplicas is 6)"));
  EXPECT_THAT(
      said(life, life.second({{kRate, 100}})),
      HasSubstr("so 6 replicas stay (2 wanted, but the stabilization window of 300s holds)"));
  life.policy.max_replicas = 100;
  life.policy.behavior.up.policies = {{RatePolicy::Type::Pods, 1, seconds(60)}};
  life.second({{kRate, 900}});
  EXPECT_THAT(said(life, life.second({{kRate, 900}})),
              HasSubstr("(18 wanted, but behavior allows no more in this period)"));
}

TEST(ExplainTest, MissingData) {
  Life life(rate_policy());
  life.second({{kRate, 412}});
  const Verdict got = life.seconds(70, {});
  EXPECT_EQ(said(life, got),
            "there is no fresh data of mcp_requests_per_second, so 9 replicas stay");
  life.facts[kRate] = Measurement::missing("no pod answers");
  EXPECT_EQ(missing_data(life.policy, life.facts, got),
            "mcp_requests_per_second has no data: no pod answers; no replicas go meanwhile");
  life.facts[kRate] = Measurement::of(5, life.facts.now - seconds(75));
  EXPECT_THAT(missing_data(life.policy, life.facts, got), HasSubstr("no data for 75s (limit 60s)"));
  life.facts[kRate] = Measurement::of(5, life.facts.now + seconds(75));
  EXPECT_THAT(missing_data(life.policy, life.facts, got), HasSubstr("a clock is wrong"));
  life.facts[kRate] = Measurement::of(-5, life.facts.now);
  EXPECT_THAT(missing_data(life.policy, life.facts, got), HasSubstr("-5 cannot be"));
}

TEST(ExplainTest, ModesFloorsAndLimits) {
  Life life(rate_policy());
  life.policy.mode = Mode::DryRun;
  EXPECT_THAT(said(life, life.second({{kRate, 412}})),
              HasSubstr("so 4 → 9 replicas; mode DryRun: nothing is done"));
  life.policy.mode = Mode::Active;
  life.policy.actuator = Actuator::Hpa;
  life.rules_floor = 7;
  const Verdict floor = life.second({{kRate, 412}});
  EXPECT_EQ(said(life, floor), "the rules' floor is 7 replicas, so the floor goes 4 → 7 replicas");
  fleet::Decision rules;
  rules.message = "rule slow: …";
  EXPECT_THAT(explain(life.policy, floor, &rules), HasSubstr("7 replicas (rule slow: …), so"));
  life.policy.max_replicas = 5;
  EXPECT_EQ(limitation(life.policy, life.second({})),
            "7 replicas are wanted, but maxReplicas is 5");
}

TEST(ExplainTest, TheObjective) {
  Policy policy = plain_policy();
  policy.targets.latency = {Quantile::P95, 0.2};
  Life life(policy);
  life.seconds(60, {{Signal::Concurrency, 40}, {Signal::Latency, 0.1}});
  life.seconds(6, {{Signal::Concurrency, 80}, {Signal::Latency, 0.15}});
  EXPECT_EQ(said(life, life.second({{Signal::Concurrency, 80}, {Signal::Latency, 0.4}})),
            "mcp_request_duration_seconds_p95 0.4s is over the objective of 0.2s; a pod is taken "
            "to carry 10 within it, and mcp_requests_in_flight 80 is there, so 4 → 8 replicas");
  Life slow(policy);
  const Verdict got = slow.seconds(90, {{Signal::Concurrency, 0.5}, {Signal::Latency, 0.7}});
  EXPECT_THAT(limitation(policy, got), HasSubstr("no number of pods can meet it"));
}

TEST(ExplainTest, Percentages) {
  Policy policy = plain_policy();
  policy.targets.cpu_utilization = 70;
  Life life(policy);
  EXPECT_EQ(said(life, life.second({{Signal::CpuUtilization, 92.5}})),
            "cpu 92.5% at 4 ready pods, over the target of 70%, so 4 → 6 replicas");
}

// docs/scaling.md explains each reason, and no other.
TEST(ReasonsTest, AreDocumented) {
  std::ifstream file(MCPFLEET_DOCS "/scaling.md");
  ASSERT_TRUE(file);
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  all = all.substr(all.find("\n## Reasons"));
  all.resize(std::min(all.size(), all.find("\n## ", 4)));
  std::size_t found = 0;
  for (std::size_t at = all.find("\n| `"); at != std::string::npos; at = all.find("\n| `", at + 1))
    ++found;
  for (const char* reason : reason_texts())
    EXPECT_THAT(all, HasSubstr("\n| `" + std::string(reason) + "` |"));
  EXPECT_EQ(found, kReasons);
}

}  // namespace
}  // namespace mcpfleet::scaling
