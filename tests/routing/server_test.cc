#include "routing/server.h"

#include <gtest/gtest.h>

#include <array>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

ServerSettings settings() {
  ServerSettings settings;
  settings.traffic.limits.max_in_flight = 1;
  settings.traffic.limits.max_sessions = 2;
  settings.traffic.limits.rates = {{.calls = 1, .period = minutes(1)}};
  settings.max_sessions_per_pod = 1;
  return settings;
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() { server_.update(ready_pods(2), kStart); }
  Server server_{{.ns = "team-a", .name = "search"}, settings()};
  Random random_{1};
};

TEST_F(ServerTest, SettingsReachTheirParts) {
  EXPECT_TRUE(std::holds_alternative<Admitted>(server_.admission.ask({}, kStart)));
  EXPECT_TRUE(std::holds_alternative<Waiting>(server_.admission.ask({}, kStart)));
  const std::array call{RatedCall{}};
  EXPECT_FALSE(server_.rates.take(call, kStart));
  EXPECT_TRUE(server_.rates.take(call, kStart));
  const auto first = server_.sessions.begin({}, kStart, random_);
  const auto second = server_.sessions.begin({}, kStart, random_);
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(server_.sessions.begin({}, kStart, random_).error().limit, Limit::Sessions);

  auto more = settings();
  more.traffic.limits.max_in_flight = 2;
  more.traffic.limits.max_sessions = 9;
  more.traffic.limits.rates = {{.calls = 3, .period = minutes(1)}};
  more.traffic.health.interval = seconds(1);
  server_.change(more, kStart);
  EXPECT_EQ(server_.settings(), more);
  EXPECT_TRUE(server_.admission.next(kStart));
  EXPECT_EQ(server_.sessions.begin({}, kStart, random_).error().limit, Limit::PodSessions);
  EXPECT_FALSE(server_.rates.take(call, kStart));
  EXPECT_FALSE(server_.rates.take(call, kStart));
  EXPECT_TRUE(server_.rates.take(call, kStart));
  EXPECT_LE(server_.pods.next_check(), kStart + seconds(1));
  more.max_sessions_per_pod = 0;
  server_.change(more, kStart);
  EXPECT_TRUE(server_.sessions.begin({}, kStart, random_));
}

TEST_F(ServerTest, SessionsGoWithTheirPods) {
  server_.sessions.used(id_of(server_.pods, 0), {.high = 1, .low = 1}, kStart);
  server_.sessions.used(id_of(server_.pods, 1), {.high = 1, .low = 2}, kStart);
  const auto changes = server_.update(std::vector{ready(1)}, kStart);
  EXPECT_EQ(changes.removed.size(), 1U);
  EXPECT_EQ(server_.sessions.size(), 1U);
}

}  // namespace
}  // namespace mcpfleet::routing
