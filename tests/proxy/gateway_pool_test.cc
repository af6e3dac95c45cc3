// A gateway's connections to its pods, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "test_gateway.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kCall =
    R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add"}})";
constexpr std::string_view kAnswer = R"({"jsonrpc":"2.0","id":3,"result":{}})";
constexpr std::string_view kResult = R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})";

// Answers calls when they are released, and everything else at once.
class SlowServer {
 public:
  std::uint16_t port() const { return server_.port(); }
  void release() { release_.set_value(); }

 private:
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future();
  FakeServer server_{each_request([released = released_](const std::string& request) {
    if (request.find("tools/call") != std::string::npos)
      released.wait_for(std::chrono::seconds(10));
    return json_response(kResult);
  })};
};

class GatewayPool : public testing::Test {
 protected:
  GatewayPool() { traffic_.connection_pool.max_connections = 1; }

  void serve(std::uint16_t port) { gateway_.serve("a", {pod_at("pod-1", port)}, traffic_); }
  std::string call() const { return gateway_.exchange(to_server("a", post(kCall))); }
  std::unique_ptr<Wire> begin_call() const {
    auto wire = gateway_.connect();
    wire->send(to_server("a", post(kCall)));
    return wire;
  }
  // "NAME{…} VALUE" of the one pod, with further labels.
  bool has(const std::string& name, const std::string& labels, int value) const {
    return gateway_.has_metric(name + R"({namespace="team",server="a",pod="pod-1")" + labels +
                               "} " + std::to_string(value));
  }
  bool has(const std::string& name, int value) const { return has(name, "", value); }
  bool open(const std::string& state, int count) const {
    return has("mcp_pool_connections", R"(,state=")" + state + R"(")", count);
  }

  fleet::TrafficSettings traffic_ = TestGateway::quick_traffic();
  KeyFolder keys_;
  TestGateway gateway_{keys_};
};

TEST_F(GatewayPool, ACallWaitsForAConnectionAndWhatIsNoCallDoesNot) {
  SlowServer slow;
  traffic_.limits.max_queue = 1;
  serve(slow.port());
  const auto first = begin_call();
  ASSERT_TRUE(eventually([&] { return open("in_use", 1); }));
  const auto second = begin_call();
  ASSERT_TRUE(eventually([&] { return has("mcp_pool_waiting", 1); }));
  EXPECT_TRUE(gateway_.has_metric(R"(mcp_queue_depth{namespace="team",server="a"} 1)"));
  const auto third = call();
  EXPECT_THAT(third, StartsWith("HTTP/1.1 503"));
  EXPECT_NE(field_of(third, "Retry-After"), "");
  EXPECT_THAT(body_of(third), HasSubstr(R"("id":7)"));
  EXPECT_THAT(body_of(third), HasSubstr("1 connection in use, which is its limit"));
  EXPECT_TRUE(gateway_.has_metric(
      R"(mcp_refused_requests_total{namespace="team",server="a",limit="Connections"} 1)"));
  EXPECT_THAT(gateway_.exchange(to_server("a", post(kAnswer))), StartsWith("HTTP/1.1 200"));
  slow.release();
  EXPECT_EQ(body_of(first->read_message()), kResult);
  EXPECT_EQ(body_of(second->read_message()), kResult);
  EXPECT_TRUE(eventually([&] { return has("mcp_pool_acquired_total", 2); }));
  EXPECT_TRUE(has("mcp_pool_made_total", 2));  // one of them was for what is no call
  EXPECT_TRUE(
      eventually([&] { return open("in_use", 0) && open("beside", 0) && open("idle", 1); }));
  EXPECT_THAT(gateway_.metrics("/metrics.json"), HasSubstr(R"("acquired":2,"timeouts":0)"));
}

TEST_F(GatewayPool, WhoWaitedTooLongIsTold) {
  SlowServer slow;
  traffic_.connection_pool.acquire_timeout = std::chrono::milliseconds(50);
  serve(slow.port());
  const auto first = begin_call();
  ASSERT_TRUE(eventually([&] { return open("in_use", 1); }));
  const auto second = call();
  EXPECT_THAT(second, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(body_of(second), HasSubstr("none came free for this call in 50ms"));
  EXPECT_TRUE(has("mcp_pool_timeouts_total", 1));
  EXPECT_TRUE(has("mcp_pod_errors_total", 0));  // it was not asked
  slow.release();
  EXPECT_EQ(body_of(first->read_message()), kResult);
}

TEST_F(GatewayPool, WhoGoesAwayWaitsNoMore) {
  SlowServer slow;
  serve(slow.port());
  const auto first = begin_call();
  ASSERT_TRUE(eventually([&] { return open("in_use", 1); }));
  auto second = begin_call();
  ASSERT_TRUE(eventually([&] { return has("mcp_pool_waiting", 1); }));
  second.reset();
  EXPECT_TRUE(eventually([&] { return has("mcp_pool_waiting", 0); }));
  slow.release();
  EXPECT_EQ(body_of(first->read_message()), kResult);
  EXPECT_EQ(body_of(call()), kResult);
  EXPECT_TRUE(has("mcp_pool_acquired_total", 2));
}

TEST_F(GatewayPool, MoreConnectionsLetThoseWhoWaitGoOn) {
  SlowServer slow;
  serve(slow.port());
  const auto first = begin_call();
  ASSERT_TRUE(eventually([&] { return open("in_use", 1); }));
  const auto second = begin_call();
  ASSERT_TRUE(eventually([&] { return has("mcp_pool_waiting", 1); }));
  traffic_.connection_pool.max_connections = 2;
  serve(slow.port());
  EXPECT_TRUE(eventually([&] { return open("in_use", 2); }));
  slow.release();
  EXPECT_EQ(body_of(first->read_message()), kResult);
  EXPECT_EQ(body_of(second->read_message()), kResult);
}

TEST_F(GatewayPool, ACallGoesToThePodThatHasAConnectionForIt) {
  SlowServer slow;
  FakeServer quick(each_request([](const std::string&) { return json_response(kResult); }));
  traffic_.load_balancing.policy = fleet::LoadBalancingPolicy::RoundRobin;
  serve(slow.port());
  const auto first = begin_call();
  ASSERT_TRUE(eventually([&] { return open("in_use", 1); }));
  gateway_.set_pods("a", {pod_at("pod-1", slow.port()), pod_at("pod-2", quick.port())});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(body_of(call()), kResult);
  slow.release();
  EXPECT_EQ(body_of(first->read_message()), kResult);
}

TEST_F(GatewayPool, OpensTheLeastAheadAndUsesThem) {
  FakeServer server(each_request([](const std::string&) { return json_response(kResult); }));
  traffic_.connection_pool = {2, 10, std::chrono::seconds(30), std::chrono::seconds(60)};
  traffic_.timeouts.idle = std::chrono::milliseconds(1);
  serve(server.port());
  ASSERT_TRUE(eventually([&] { return open("idle", 2); }));
  EXPECT_EQ(body_of(call()), kResult);
  EXPECT_TRUE(eventually([&] { return !has("mcp_pool_reused_total", 0); }));
  gateway_.set_pods("a", {});
  EXPECT_TRUE(eventually([&] { return server.ended() == server.connections(); }));
}

TEST_F(GatewayPool, ClosesWhatNobodyUses) {
  FakeServer server(each_request([](const std::string&) { return json_response(kResult); }));
  traffic_.timeouts.idle = std::chrono::milliseconds(1);
  serve(server.port());
  EXPECT_EQ(body_of(call()), kResult);
  EXPECT_TRUE(eventually([&] { return server.ended() == 1; }));
  EXPECT_TRUE(eventually([&] { return has("mcp_pool_closed_total", R"(,reason="idle")", 1); }));
  EXPECT_TRUE(open("idle", 0));
}

TEST_F(GatewayPool, FindsOutWhichConnectionsThePodHasClosed) {
  // Answers once and hangs up without a word.
  FakeServer server([](Wire& wire) {
    wire.read_message();
    wire.send(json_response(kResult));
  });
  traffic_.connection_pool.health_interval = std::chrono::milliseconds(1);
  serve(server.port());
  EXPECT_EQ(body_of(call()), kResult);
  EXPECT_TRUE(eventually([&] { return has("mcp_pool_closed_total", R"(,reason="stale")", 1); }));
  EXPECT_EQ(body_of(call()), kResult);
}

}  // namespace
}  // namespace mcpfleet::proxy
