#include "gateway/route_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "route_log.h"

namespace mcpfleet::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const fleet::MCPServer> server(const std::string& ns, const std::string& name,
                                               fleet::Labels labels = {}) {
  auto made = std::make_shared<fleet::MCPServer>();
  made->namespace_ = ns;
  made->name = name;
  made->labels = std::move(labels);
  return made;
}

std::shared_ptr<const fleet::MCPGateway> gateway(int max_in_flight, fleet::LabelSelector selector) {
  auto made = std::make_shared<fleet::MCPGateway>();
  made->namespace_ = "team";
  made->name = "front";
  made->traffic.limits.max_in_flight = max_in_flight;
  made->server_selector = std::move(selector);
  return made;
}

TEST(RouteFeed, TellsWhatChangesARouteAndNothingElse) {
  RouteLog log;
  RouteFeed feed(log, false);
  feed.set_server(server("team", "a"));
  EXPECT_THAT(log.take(), ElementsAre("server team/a /mcp 1000"));
  auto touched = std::make_shared<fleet::MCPServer>(*server("team", "a"));
  touched->status.replicas = 7;
  touched->resource_version = "9";
  feed.set_server(touched);
  EXPECT_THAT(log.take(), IsEmpty());
  touched = std::make_shared<fleet::MCPServer>(*touched);
  touched->config.path = "/other";
  touched->proxy.limits.max_in_flight = 5;
  feed.set_server(touched);
  EXPECT_THAT(log.take(), ElementsAre("server team/a /other 5"));
  feed.remove_server("team/a");
  feed.remove_server("team/a");
  EXPECT_THAT(log.take(), ElementsAre("no server team/a"));
}

TEST(RouteFeed, TellsWhatAServerSaysOfItsSessions) {
  auto given = std::make_shared<fleet::MCPServer>(*server("team", "a"));
  fleet::MCPGateway all;
  all.namespaces_from = fleet::NamespacesFrom::All;
  EXPECT_EQ(route_of(all, *given)->settings.max_sessions_per_pod, 0U);
  given->sessions = {.idle_timeout = std::chrono::minutes(2), .max_per_replica = 7};
  EXPECT_EQ(route_of(all, *given)->settings.max_sessions_per_pod, 7U);
  EXPECT_EQ(route_of(all, *given)->settings.session_idle, std::chrono::minutes(2));
}

TEST(RouteFeed, ServesWhatTheGatewaySelects) {
  RouteLog log;
  RouteFeed feed(log, true);
  feed.set_server(server("team", "a", {{"tier", "x"}}));
  feed.set_server(server("team", "b"));
  feed.set_server(server("elsewhere", "c", {{"tier", "x"}}));
  EXPECT_THAT(log.take(), IsEmpty());  // the gateway is not known yet
  feed.set_gateway(gateway(10, {.match_labels = {{"tier", "x"}}}));
  EXPECT_THAT(log.take(), ElementsAre("sample 100", "server team/a /mcp 10"));
  feed.set_gateway(gateway(20, {}));
  EXPECT_THAT(log.take(),
              ElementsAre("sample 100", "server team/a /mcp 20", "server team/b /mcp 20"));
  feed.set_gateway(nullptr);  // it is gone: what it said goes on
  EXPECT_THAT(log.take(), IsEmpty());
  feed.set_gateway(gateway(20, {.match_labels = {{"tier", "y"}}}));
  EXPECT_THAT(log.take(), ElementsAre("sample 100", "no server team/a", "no server team/b"));
}

TEST(RouteFeed, SlicesBelongToTheServerOfTheirService) {
  RouteLog log;
  RouteFeed feed(log, false);
  EndpointSlice slice{.namespace_ = "team", .name = "a-1", .server = "a"};
  slice.endpoints.push_back({.address = "10.0.0.1"});
  feed.set_slice(slice);
  EXPECT_THAT(log.take(), ElementsAre("slice team/a a-1 10.0.0.1"));
  slice.server = "b";
  feed.set_slice(slice);
  EXPECT_THAT(log.take(), ElementsAre("no slice team/a a-1", "slice team/b a-1 10.0.0.1"));
  feed.remove_slice("team/a-1");
  feed.remove_slice("team/a-1");
  EXPECT_THAT(log.take(), ElementsAre("no slice team/b a-1"));
}

}  // namespace
}  // namespace mcpfleet::gateway
