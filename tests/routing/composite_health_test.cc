#include "routing/composite_health.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum HealthStatus;

TEST(CompositeHealthTest, IsAsBadAsWhatItNeeds) {
  struct Case {
    std::vector<HealthStatus> needed;
    std::vector<HealthStatus> others;
    HealthStatus want;
  };
  const std::vector<Case> cases{
      {{}, {}, Healthy},
      {{Healthy}, {Healthy}, Healthy},
      {{Healthy, Degraded}, {}, Degraded},
      {{Unhealthy, Degraded}, {Healthy}, Unhealthy},
      {{Healthy}, {Unhealthy}, Degraded},
      {{Healthy}, {Degraded}, Degraded},
      {{Degraded}, {Unhealthy}, Degraded},
  };
  for (const auto& test : cases) {
    CompositeHealth health;
    for (const auto status : test.needed)
      health.told(health.add("needed", true), {.status = status}, kStart);
    for (const auto status : test.others)
      health.told(health.add("other", false), {.status = status}, kStart);
    EXPECT_EQ(health.status(kStart), test.want) << &test - cases.data();
  }
}

TEST(CompositeHealthTest, APartIsCheckedOnceAnInterval) {
  CompositeHealth health(seconds(30));
  EXPECT_EQ(health.next_due(), MonotonicTime::max());
  const auto a = health.add("a", true);
  const auto b = health.add("b", true);
  EXPECT_EQ(health.take_due(kStart), a);
  EXPECT_EQ(health.take_due(kStart), b);
  EXPECT_FALSE(health.take_due(kStart));
  EXPECT_EQ(health.next_due(), kStart + seconds(30));
  EXPECT_FALSE(health.take_due(kStart + seconds(29)));
  EXPECT_EQ(health.take_due(kStart + seconds(30)), a);
}

TEST(CompositeHealthTest, WhatNobodyKnowsIsNotHealthy) {
  CompositeHealth health(seconds(30));
  const auto part = health.add("a", true);
  EXPECT_EQ(health.status(kStart), Unhealthy);
  health.told(part, {}, kStart);
  EXPECT_EQ(health.status(kStart + seconds(90)), Healthy);
  EXPECT_EQ(health.status(kStart + seconds(91)), Unhealthy);
}

TEST(CompositeHealthTest, RemembersTheLastError) {
  CompositeHealth health;
  const auto part = health.add("kubernetes", true);
  health.told(part, {.status = Unhealthy, .message = "the API server refused the connection"},
              kStart);
  health.told(part, {.message = "listening", .took = milliseconds(4)}, kStart + seconds(30));
  EXPECT_EQ(health.part(part).checks, 2U);
  EXPECT_EQ(health.part(part).failures, 1U);
  const auto json = nlohmann::json::parse(health.json(kStart + seconds(31)));
  const nlohmann::json want{{"status", "healthy"},
                            {"checks",
                             {{"kubernetes",
                               {{"status", "healthy"},
                                {"needed", true},
                                {"message", "listening"},
                                {"tookSeconds", 0.004},
                                {"ageSeconds", 1.0},
                                {"failures", 1},
                                {"lastError", "the API server refused the connection"},
                                {"lastErrorAgeSeconds", 31.0}}}}}};
  EXPECT_EQ(json, want);
}

TEST(CompositeHealthTest, JsonSaysWhatWasNotChecked) {
  CompositeHealth health;
  health.add("pods", false);
  const auto json = nlohmann::json::parse(health.json(kStart));
  EXPECT_EQ(json["status"], "degraded");
  EXPECT_EQ(json["checks"]["pods"]["status"], "unhealthy");
  EXPECT_EQ(json["checks"]["pods"]["message"], "not checked yet");
  EXPECT_FALSE(json["checks"]["pods"].contains("ageSeconds"));
}

}  // namespace
}  // namespace mcpfleet::routing
