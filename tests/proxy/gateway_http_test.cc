// What a gateway passes on besides MCP: documents of /.well-known/, and who asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "test_gateway.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kCall = R"({"jsonrpc":"2.0","id":7,"method":"tools/list"})";

// Remembers what it was asked.
class Server {
 public:
  std::uint16_t port() const { return server_.port(); }
  const FakeServer& server() const { return server_; }
  std::string last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  std::mutex mutex_;
  std::string last_;
  FakeServer server_{each_request([this](const std::string& request) {
    const std::lock_guard lock(mutex_);
    last_ = request;
    return json_response(R"({"resource":"x"})");
  })};
};

class GatewayHttp : public testing::Test {
 protected:
  GatewayHttp() { gateway_.serve("a", {pod_at("pod-1", sidecar_.port())}); }
  std::string ask(const std::string& line, const std::string& fields = "") const {
    return gateway_.exchange(line + " HTTP/1.1\r\nHost: front.example\r\n" + fields + "\r\n");
  }

  Server server_;
  TestSidecar sidecar_{for_upstream(server_.server(), "pod-1")};
  KeyFolder keys_;
  TestGateway gateway_{keys_};
};

TEST_F(GatewayHttp, DocumentsOfAServerAreAskedOfItsPods) {
  const std::string path = "/.well-known/oauth-protected-resource/team/a/mcp";
  const auto reply = ask("GET " + path, "Mcp-Session-Id: whatever\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(body_of(reply), R"({"resource":"x"})");
  EXPECT_THAT(server_.last(), StartsWith("GET /.well-known/oauth-protected-resource/mcp HTTP/1.1"));
  EXPECT_EQ(field_of(server_.last(), "X-Forwarded-Host"), "front.example");
  EXPECT_THAT(ask("DELETE " + path), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(ask("GET /.well-known/oauth-protected-resource/team/b/mcp"),
              HasSubstr("there is no MCPServer team/b here"));
  EXPECT_THAT(ask("GET /.well-known/oauth-protected-resource"), StartsWith("HTTP/1.1 404"));
  ServerRoute root;
  root.name = {"team", "a"};
  root.path = "/";
  (*gateway_).set_server(root);
  EXPECT_THAT(ask("GET " + path + "?x=1"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(server_.last(), StartsWith("GET /.well-known/oauth-protected-resource?x=1 HTTP/1.1"));
}

TEST_F(GatewayHttp, AServerIsToldWhoAsked) {
  struct Case {
    std::string fields;
    const char* addresses;
    const char* host;
    const char* protocol;
  };
  // The sidecar adds the gateway's address.
  for (const auto& [fields, addresses, host, protocol] :
       {Case{"", "127.0.0.1, 127.0.0.1", "service", "http"},
        Case{
            "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nX-Forwarded-Proto: https\r\n"
            "X-Forwarded-Host: mcp.example\r\n",
            "10.0.0.1, 10.0.0.2, 127.0.0.1, 127.0.0.1", "mcp.example", "https"}}) {
    EXPECT_THAT(gateway_.exchange(to_server("a", post(kCall, fields))), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(field_of(server_.last(), "X-Forwarded-For"), addresses);
    EXPECT_EQ(field_of(server_.last(), "X-Forwarded-Host"), host);
    EXPECT_EQ(field_of(server_.last(), "X-Forwarded-Proto"), protocol);
  }
}

TEST_F(GatewayHttp, APodThatIsFullOfSessionsGetsNoNewOneWhileAnotherHasRoom) {
  constexpr std::string_view kInitialize =
      R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})";
  std::atomic<int> count = 0;
  FakeServer minting(each_request([&count](const std::string&) {
    return json_response(R"({"jsonrpc":"2.0","id":1,"result":{}})",
                         "Mcp-Session-Id: s" + std::to_string(++count) + "\r\n");
  }));
  ServerRoute route;
  route.name = {"team", "b"};
  route.settings.traffic = TestGateway::quick_traffic();
  route.settings.traffic.load_balancing.policy = fleet::LoadBalancingPolicy::RoundRobin;
  route.settings.max_sessions_per_pod = 2;
  (*gateway_).set_server(route);
  const auto begin = [&] { return gateway_.exchange(to_server("b", post(kInitialize))); };
  gateway_.set_pods("b", {pod_at("pod-1", minting.port())});
  for (int i = 0; i < 2; ++i) EXPECT_THAT(begin(), StartsWith("HTTP/1.1 200"));
  gateway_.set_pods("b", {pod_at("pod-1", minting.port()), pod_at("pod-2", minting.port())});
  for (int i = 0; i < 2; ++i) EXPECT_THAT(begin(), StartsWith("HTTP/1.1 200"));
  for (const char* pod : {"pod-1", "pod-2"})
    EXPECT_TRUE(gateway_.has_metric(R"(mcp_pod_sessions{namespace="team",server="b",pod=")" +
                                    std::string(pod) + R"("} 2)"));
  const auto full = begin();
  EXPECT_THAT(full, StartsWith("HTTP/1.1 503"));
  EXPECT_NE(field_of(full, "Retry-After"), "");
  EXPECT_THAT(body_of(full),
              HasSubstr("each pod of the server has 2 sessions, which is its limit"));
  EXPECT_TRUE(gateway_.has_metric(
      R"(mcp_refused_requests_total{namespace="team",server="b",limit="PodSessions"} 1)"));
}

}  // namespace
}  // namespace mcpfleet::proxy
