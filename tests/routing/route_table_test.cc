#include "routing/route_table.h"

#include <gtest/gtest.h>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

const ServerName kSearch{.ns = "team-a", .name = "search"};

TEST(WellKnownTest, OnlyPathsOfServers) {
  struct Case {
    const char* target;
    std::optional<WellKnown> want;
  };
  const WellKnown resource{"oauth-protected-resource", "team-a/search"};
  const Case cases[] = {
      {"/.well-known/oauth-protected-resource/team-a/search/mcp", resource},
      {"/.well-known/oauth-protected-resource/team-a/search/mcp?x=/y", resource},
      {"/.well-known/x/a/1/mcp", WellKnown{"x", "a/1"}},
      {"/.well-known/oauth-protected-resource", {}},
      {"/.well-known/oauth-protected-resource/mcp", {}},
      {"/.well-known/oauth-protected-resource/team-a/mcp", {}},
      {"/.well-known/a/b/team-a/search/mcp", {}},
      {"/.well-known/a?/team-a/search/mcp", {}},
      {"/.well-known//team-a/search/mcp", {}},
      {"/.well-known/team-a/search/mcp", {}},
      {"/.well-known/../team-a/search/mcp", {}},
      {"/.well-known/%2E%2E/team-a/search/mcp", {}},
      {"/.well-known", {}},
      {"/x/.well-known/a/team-a/search/mcp", {}},
      {"/team-a/search/mcp", {}},
  };
  for (const auto& test : cases) EXPECT_EQ(well_known_in(test.target), test.want) << test.target;
}

TEST(ServerInTest, OnlyPathsOfServers) {
  struct Case {
    const char* target;
    std::optional<std::string_view> want;
  };
  const Case cases[] = {
      {"/team-a/search/mcp", "team-a/search"},
      {"/team-a/search/mcp?key=1", "team-a/search"},
      {"/team-a/search/mcp?x=/mcp", "team-a/search"},
      {"/a/1/mcp", "a/1"},
      {"/mcp/mcp/mcp", "mcp/mcp"},
      {"", {}},
      {"/", {}},
      {"/mcp", {}},
      {"//mcp", {}},
      {"/team-a/mcp", {}},
      {"/team-a//mcp", {}},
      {"//search/mcp", {}},
      {"/team-a/search", {}},
      {"/team-a/search/", {}},
      {"/team-a/search/mcp/", {}},
      {"/team-a/search/mcpx", {}},
      {"/team-a/search/more/mcp", {}},
      {"team-a/search/mcp", {}},
      {"/Team/search/mcp", {}},
      {"/team%2Da/search/mcp", {}},
      {"/team-a/../mcp", {}},
      {"/team-a?/search/mcp", {}},
      {"http://host/team-a/search/mcp", {}},
  };
  for (const auto& test : cases) EXPECT_EQ(server_in(test.target), test.want) << test.target;
  const std::string longest(63, 'x');
  EXPECT_TRUE(server_in("/" + longest + "/" + longest + "/mcp"));
  EXPECT_FALSE(server_in("/" + longest + "x/a/mcp"));
  EXPECT_FALSE(server_in("/a/" + longest + "x/mcp"));
}

class RouteTableTest : public testing::Test {
 protected:
  std::size_t pods() const {
    const auto server = table_.get(kSearch);
    return server ? server->pods.size() : 0;
  }
  RouteTable table_;
  ServerSettings settings_;
};

TEST_F(RouteTableTest, ServersComeAndGo) {
  EXPECT_EQ(table_.find("/team-a/search/mcp"), nullptr);
  table_.set_server(kSearch, settings_, kStart);
  ASSERT_NE(table_.find("/team-a/search/mcp"), nullptr);
  EXPECT_EQ(table_.find("/team-a/search/mcp")->name(), kSearch);
  EXPECT_EQ(table_.find("/team-b/search/mcp"), nullptr);
  EXPECT_EQ(table_.size(), 1U);
  table_.remove_server(kSearch);
  table_.remove_server(kSearch);
  EXPECT_EQ(table_.find("/team-a/search/mcp"), nullptr);
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(RouteTableTest, EndpointsMayComeBeforeTheServer) {
  auto changes = table_.set_slice(kSearch, "one", ready_pods(2), kStart);
  EXPECT_TRUE(changes.added.empty());
  EXPECT_EQ(table_.find("/team-a/search/mcp"), nullptr);
  EXPECT_EQ(table_.size(), 0U);
  table_.set_server(kSearch, settings_, kStart);
  EXPECT_EQ(pods(), 2U);
}

TEST_F(RouteTableTest, ASliceIsAPartOfTheServersPods) {
  table_.set_server(kSearch, settings_, kStart);
  EXPECT_EQ(table_.set_slice(kSearch, "one", {ready(0), ready(1)}, kStart).added.size(), 2U);
  EXPECT_EQ(table_.set_slice(kSearch, "two", {ready(2)}, kStart).added.size(), 1U);
  EXPECT_EQ(pods(), 3U);
  // A pod that moves to another slice is the same.
  const auto moved = table_.set_slice(kSearch, "two", {ready(1), ready(2)}, kStart);
  EXPECT_TRUE(moved.added.empty());
  const auto gone = table_.remove_slice(kSearch, "one", kStart);
  EXPECT_EQ(gone.removed.size(), 1U);
  EXPECT_EQ(pods(), 2U);
  EXPECT_TRUE(table_.remove_slice(kSearch, "one", kStart).removed.empty());
  EXPECT_TRUE(table_.remove_slice({.ns = "x", .name = "y"}, "one", kStart).removed.empty());
}

TEST_F(RouteTableTest, SettingsChangeWithoutLosingWhatIsKnown) {
  table_.set_server(kSearch, settings_, kStart);
  table_.set_slice(kSearch, "one", ready_pods(1), kStart);
  const auto before = table_.get(kSearch);
  before->pods.begin(id_of(before->pods, 0), kStart);
  settings_.traffic.limits.max_in_flight = 7;
  table_.set_server(kSearch, settings_, kStart);
  EXPECT_EQ(table_.get(kSearch), before);
  EXPECT_EQ(before->settings(), settings_);
  EXPECT_EQ(before->pods.get(id_of(before->pods, 0))->stats.in_flight, 1U);
}

TEST_F(RouteTableTest, ACallHoldsItsServer) {
  table_.set_server(kSearch, settings_, kStart);
  table_.set_slice(kSearch, "one", ready_pods(1), kStart);
  const auto held = table_.find("/team-a/search/mcp");
  const auto pod = id_of(held->pods, 0);
  held->pods.begin(pod, kStart);
  table_.remove_server(kSearch);
  held->pods.end(pod, Outcome::Success, std::chrono::seconds(1), kStart);
  EXPECT_EQ(held->pods.get(pod)->stats.requests, 1U);
  // A server of that name that comes later is another one, with the endpoints that are there.
  table_.set_server(kSearch, settings_, kStart);
  EXPECT_NE(table_.get(kSearch), held);
  EXPECT_EQ(pods(), 1U);
  EXPECT_EQ(table_.get(kSearch)->pods.get(id_of(table_.get(kSearch)->pods, 0))->stats.requests, 0U);
}

TEST_F(RouteTableTest, EachIsOfThoseThatAreServed) {
  table_.set_server(kSearch, settings_, kStart);
  table_.set_slice({.ns = "team-a", .name = "fetch"}, "one", ready_pods(1), kStart);
  std::vector<ServerName> names;
  table_.each([&](Server& server) { names.push_back(server.name()); });
  EXPECT_EQ(names, std::vector{kSearch});
}

}  // namespace
}  // namespace mcpfleet::routing
