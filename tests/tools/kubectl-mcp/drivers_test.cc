#include "tools/kubectl-mcp/drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explanations.h"

namespace mcpfleet::kubectl {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

TEST(Drivers, ComeInTheOrderOfTheSpec) {
  EXPECT_THAT(
      drivers(trial()),
      ElementsAre(Field(&Driver::name, "concurrency"), Field(&Driver::name, "sessions"),
                  Field(&Driver::name, "latency p95"), Field(&Driver::name, "panic"),
                  Field(&Driver::name, "schedule office"), Field(&Driver::name, "forecast")));
  EXPECT_TRUE(drivers(still()).empty());
}

TEST(Drivers, ALoadIsToldByTheReplica) {
  const auto rate = drivers(busy())[2];
  EXPECT_EQ(rate.value, "100 a replica (402 in all)");
  EXPECT_EQ(rate.target, "100 a replica");
  EXPECT_EQ(rate.age, seconds(1));
}

TEST(Drivers, WithoutAReadyReplicaALoadIsThatOfAll) {
  auto none = busy();
  none.server.status.ready_replicas = 0;
  EXPECT_EQ(drivers(none)[2].value, "402");
}

TEST(Drivers, AResourceThatIsNotRequestedIsLeftOut) {
  const auto all = drivers(busy());
  EXPECT_EQ(all[0].value, "63%");
  EXPECT_EQ(all[1].value, "");
  EXPECT_EQ(all[1].missing, "");
  EXPECT_THAT(all[1].detail, HasSubstr("not measured: the server's container requests no memory"));
}

TEST(Drivers, CpuComesFromTheStatusWhereThereIsNoHpa) {
  auto without = busy();
  without.hpa.reset();
  EXPECT_EQ(drivers(without)[0].value, "63%");
  without.server.status.scaling.reset();
  EXPECT_THAT(drivers(without)[0].missing, HasSubstr("metrics-server"));
}

TEST(Drivers, ARuleSaysWhatItSeesAndDoes) {
  const auto rule = drivers(busy())[3];
  EXPECT_EQ(rule.name, "rule slow-search");
  EXPECT_EQ(rule.value, "395ms");
  EXPECT_EQ(rule.target, "> 200ms");
  EXPECT_EQ(
      rule.detail,
      "mcp_request_duration_seconds_p95 of tool search averaged 410ms over 30s; moves up by 2 "
      "replicas, at most once in 60s; last fired 2m ago");
}

TEST(Drivers, TheMetricsApisOwnSentence) {
  for (const auto& driver : drivers(blind())) {
    if (driver.name == "memoryUtilization" || driver.name == "cpuUtilization") continue;
    EXPECT_THAT(driver.missing, HasSubstr("does not answer (HTTP status 503)")) << driver.name;
  }
}

TEST(Drivers, AClockAheadOfOursMakesNoNegativeAge) {
  auto ahead = busy();
  ahead.live[{"mcp_requests_per_second", ""}] = live(402, -5);
  EXPECT_EQ(drivers(ahead)[2].age, seconds(0));
}

}  // namespace
}  // namespace mcpfleet::kubectl
