// The gateway in front of real sidecars, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <set>

#include "http/certificate.h"
#include "http/client.h"
#include "proxy/tls_files.h"
#include "test_gateway.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kCall =
    R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add"}})";
constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})";
constexpr std::string_view kList = R"({"jsonrpc":"2.0","id":7,"method":"tools/list"})";
constexpr std::string_view kResult = R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})";
constexpr std::string_view kModern = "MCP-Protocol-Version: 2026-07-28\r\n";

std::string session_field(const std::string& id) { return "Mcp-Session-Id: " + id + "\r\n"; }

// A server that remembers what it was asked and mints sessions, behind a sidecar.
class Pod {
 public:
  explicit Pod(const std::string& name) : name_(name), sidecar_(for_upstream(server_, name)) {}

  routing::Endpoint endpoint() const { return pod_at(name_, sidecar_.port()); }
  TestSidecar& sidecar() { return sidecar_; }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::string last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  std::string answer(const std::string& request) {
    const std::lock_guard lock(mutex_);
    last_ = request;
    ++count_;
    if (request.starts_with("DELETE")) return "HTTP/1.1 204 No Content\r\n\r\n";
    const bool starts = request.find("initialize") != std::string::npos;
    const auto id =
        starts ? "s" + std::to_string(++sessions_) : field_of(request, "mcp-session-id");
    return json_response(starts ? R"({"jsonrpc":"2.0","id":1,"result":{}})" : kResult,
                         id.empty() ? "" : session_field(id));
  }

  const std::string name_;
  std::mutex mutex_;
  std::string last_;
  int count_ = 0;
  int sessions_ = 0;
  FakeServer server_{each_request([this](const std::string& request) { return answer(request); })};
  TestSidecar sidecar_;
};

std::string call(const TestGateway& gateway, std::string_view body, std::string_view fields = "") {
  return gateway.exchange(to_server("a", post(body, fields)));
}

std::string start_session(const TestGateway& gateway, std::string_view fields = "") {
  return field_of(call(gateway, kInitialize, fields), "Mcp-Session-Id");
}

// A port on which nobody listens.
std::uint16_t dead_port() {
  const FakeServer server([](Wire&) {});
  return server.port();
}

TEST(Gateway, SpreadsModernRequestsAndTakesNoSessionFromThem) {
  Pod one("pod-1"), two("pod-2");
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.load_balancing.policy = fleet::LoadBalancingPolicy::RoundRobin;
  gateway.serve("a", {one.endpoint(), two.endpoint()}, traffic);
  for (int i = 0; i < 6; ++i) {
    const auto reply = call(gateway, kCall, std::string(kModern) + session_field("whatever"));
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(body_of(reply), kResult);
  }
  EXPECT_EQ(one.count(), 3);
  EXPECT_EQ(two.count(), 3);
  EXPECT_THAT(one.last(), StartsWith("POST /mcp HTTP/1.1\r\n"));
  EXPECT_EQ(field_of(one.last(), "Mcp-Session-Id"), "");
  EXPECT_EQ(field_of(one.last(), "MCP-Protocol-Version"), "2026-07-28");
}

TEST(Gateway, PassesTraceContextAndTheServersOwnPath) {
  Pod pod("pod-1");
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("a", {pod.endpoint()});
  call(gateway, kCall, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n");
  EXPECT_EQ(field_of(pod.last(), "traceparent"),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  ServerRoute moved;
  moved.name = {"team", "a"};
  moved.path = "/elsewhere";
  (*gateway).set_server(moved);
  EXPECT_THAT(call(gateway, kCall), HasSubstr("MCP is at /mcp"));  // says the sidecar
}

TEST(Gateway, ASessionStaysOnItsPodUntilItIsEnded) {
  Pod one("pod-1"), two("pod-2");
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("a", {one.endpoint(), two.endpoint()});
  std::set<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.insert(start_session(gateway));
  ASSERT_EQ(ids.size(), 4u);
  EXPECT_EQ(one.count(), 2);  // new sessions go where there are fewest
  EXPECT_EQ(two.count(), 2);
  for (const auto& id : ids) {
    const int before = one.count();
    for (int i = 0; i < 5; ++i) {
      const auto reply = call(gateway, kCall, session_field(id));
      EXPECT_EQ(body_of(reply), kResult);
      EXPECT_EQ(field_of(reply, "Mcp-Session-Id"), id);
    }
    EXPECT_THAT(one.count() - before, AnyOf(0, 5));
  }
  EXPECT_TRUE(gateway.has_metric(R"(mcp_active_sessions{namespace="team",server="a"} 4)"));
  for (const auto& id : ids) {
    const auto end = "DELETE /team/a/mcp HTTP/1.1\r\nHost: x\r\n" + session_field(id) + "\r\n";
    EXPECT_THAT(gateway.exchange(end), StartsWith("HTTP/1.1 204"));
  }
  EXPECT_TRUE(gateway.has_metric(R"(mcp_active_sessions{namespace="team",server="a"} 0)"));
}

TEST(Gateway, AnyGatewayWithTheKeyServesASession) {
  Pod one("pod-1"), two("pod-2");
  const KeyFolder keys;
  std::string id;
  {
    TestGateway gone(keys);
    gone.serve("a", {one.endpoint(), two.endpoint()});
    id = start_session(gone);
  }
  TestGateway other(keys);
  other.serve("a", {one.endpoint(), two.endpoint()});
  EXPECT_EQ(body_of(call(other, kCall, session_field(id))), kResult);
  const KeyFolder rotated(std::string(32, 'n'));
  rotated.write("previous", std::string(32, 'g'));
  TestGateway newer(rotated);
  newer.serve("a", {one.endpoint(), two.endpoint()});
  EXPECT_EQ(body_of(call(newer, kCall, session_field(id))), kResult);
  const KeyFolder foreign(std::string(32, 'f'));
  TestGateway stranger(foreign);
  stranger.serve("a", {one.endpoint(), two.endpoint()});
  EXPECT_THAT(call(stranger, kCall, session_field(id)), StartsWith("HTTP/1.1 404"));
}

TEST(Gateway, ASessionIsItsCallersAndItsServersAlone) {
  Pod pod("pod-1");
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("a", {pod.endpoint()});
  gateway.serve("b", {pod.endpoint()});
  const std::string alice = "Authorization: Bearer alice\r\n";
  const auto id = start_session(gateway, alice);
  EXPECT_EQ(body_of(call(gateway, kCall, alice + session_field(id))), kResult);
  const auto before = pod.count();
  auto changed = id;
  changed[20] = changed[20] == 'A' ? 'B' : 'A';
  for (const auto& [server, fields] : {std::pair<std::string, std::string>("a", session_field(id)),
                                       {"a", "Authorization: Bearer bob\r\n" + session_field(id)},
                                       {"b", alice + session_field(id)},
                                       {"a", alice + session_field(changed)},
                                       {"a", alice + session_field("s1")},
                                       {"a", alice + session_field(std::string(5000, 'A'))}}) {
    const auto reply = gateway.exchange(to_server(server, post(kCall, fields)));
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(body_of(reply), HasSubstr(R"("id":7)"));
    EXPECT_THAT(body_of(reply), HasSubstr("session not found: this id is not one of ours"));
  }
  EXPECT_EQ(pod.count(), before);
}

TEST(Gateway, ASessionWhosePodIsGoneIsNotFound) {
  Pod one("pod-1"), two("pod-2");
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("a", {one.endpoint()});
  const auto id = start_session(gateway);
  auto ending = one.endpoint();
  ending.ready = false;
  ending.terminating = true;
  gateway.set_pods("a", {ending, two.endpoint()});
  // A pod that ends keeps its sessions and gets no new one.
  EXPECT_EQ(body_of(call(gateway, kCall, session_field(id))), kResult);
  const auto before = one.count();
  for (int i = 0; i < 5; ++i) EXPECT_NE(start_session(gateway), "");
  EXPECT_EQ(one.count(), before);
  gateway.set_pods("a", {two.endpoint()});
  const auto reply = call(gateway, kCall, session_field(id));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(body_of(reply), HasSubstr("its pod pod-1 is gone; start a new session"));
  EXPECT_THAT(body_of(reply), HasSubstr(R"("code":-32001)"));
  EXPECT_TRUE(
      gateway.has_metric(R"(mcp_lost_session_requests_total{namespace="team",server="a"} 1)"));
}

TEST(Gateway, ACallThatReachedNobodyGoesToAnotherPodAndTheDeadOneIsLeftOut) {
  Pod alive("pod-1");
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.load_balancing.policy = fleet::LoadBalancingPolicy::RoundRobin;
  traffic.ejection.consecutive_failures = 2;
  gateway.serve("a", {alive.endpoint(), pod_at("pod-2", dead_port())}, traffic);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(body_of(call(gateway, kCall)), kResult);
  EXPECT_EQ(alive.count(), 10);
  EXPECT_TRUE(gateway.has_metric(R"(mcp_repeated_requests_total{namespace="team",server="a"} 2)"));
  EXPECT_TRUE(gateway.has_metric(R"(mcp_pod_ejections_total{namespace="team",server="a"} 1)"));
  EXPECT_TRUE(gateway.has_metric(R"(mcp_pod_up{namespace="team",server="a",pod="pod-2"} 0)"));
  EXPECT_TRUE(gateway.has_metric(R"(mcp_pod_up{namespace="team",server="a",pod="pod-1"} 1)"));
}

TEST(Gateway, WhatMayHaveHappenedIsNotSentAgain) {
  std::atomic<int> calls = 0, lists = 0;
  // Hangs up on every request.
  FakeServer broken([&](Wire& wire) {
    const auto request = wire.read_message();
    if (request.find("tools/call") != std::string::npos) ++calls;
    if (request.find("tools/list") != std::string::npos) ++lists;
  });
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("a", {pod_at("pod-1", broken.port()), pod_at("pod-2", broken.port())});
  const auto reply = call(gateway, kCall);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 502"));
  EXPECT_THAT(body_of(reply), HasSubstr("closed the connection without an answer"));
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(call(gateway, kList), StartsWith("HTTP/1.1 502"));
  EXPECT_EQ(lists, 3);
}

TEST(Gateway, APodThatRefusesSessionsIsPassedOver) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future();
  FakeServer slow(each_request([released](const std::string& request) {
    if (request.find("tools/call") != std::string::npos)
      released.wait_for(std::chrono::seconds(10));
    return json_response(kResult);
  }));
  TestSidecar leaving(for_upstream(slow, "pod-1"));
  Pod two("pod-2");
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.load_balancing.policy = fleet::LoadBalancingPolicy::RoundRobin;
  gateway.serve("a", {pod_at("pod-1", leaving.port()), two.endpoint()}, traffic);
  const auto busy = leaving.connect();
  busy->send(post(kCall));
  ASSERT_TRUE(eventually([&] { return leaving.has_metric("mcp_requests_in_flight 1"); }));
  (*leaving).terminate();
  ASSERT_TRUE(eventually([&] {
    return field_of(leaving.exchange(post(kInitialize)), "Mcpfleet-Refused") == "draining";
  }));
  for (int i = 0; i < 6; ++i) EXPECT_NE(start_session(gateway), "");
  EXPECT_EQ(two.count(), 6);
  EXPECT_TRUE(gateway.has_metric(R"(mcp_repeated_requests_total{namespace="team",server="a"} 1)"));
  EXPECT_TRUE(gateway.has_metric(R"(mcp_pod_ejections_total{namespace="team",server="a"} 0)"));
  release.set_value();
}

TEST(Gateway, MoreCallsThanThereMayBeWaitAndAreRefused) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future();
  FakeServer slow(each_request([released](const std::string& request) {
    if (request.find("tools/call") != std::string::npos)
      released.wait_for(std::chrono::seconds(10));
    return json_response(kResult);
  }));
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.limits.max_in_flight = 1;
  traffic.limits.max_queue = 1;
  gateway.serve("a", {pod_at("pod-1", slow.port())}, traffic);
  const auto first = gateway.connect();
  first->send(to_server("a", post(kCall)));
  ASSERT_TRUE(eventually([&] {
    return gateway.has_metric(
        R"(mcp_pod_requests_in_flight{namespace="team",server="a",pod="pod-1"} 1)");
  }));
  const auto second = gateway.connect();
  second->send(to_server("a", post(kCall)));
  const std::string waits = R"(mcp_queue_depth{namespace="team",server="a"} )";
  ASSERT_TRUE(eventually([&] { return gateway.has_metric(waits + "1"); }));
  const auto third = call(gateway, kCall);
  EXPECT_THAT(third, StartsWith("HTTP/1.1 503"));
  EXPECT_NE(field_of(third, "Retry-After"), "");
  EXPECT_THAT(body_of(third), HasSubstr(R"("id":7)"));
  EXPECT_THAT(body_of(third), HasSubstr("which is its limit"));
  EXPECT_TRUE(gateway.has_metric(
      R"(mcp_refused_requests_total{namespace="team",server="a",limit="Queue"} 1)"));
  // What ends no call needs no place: an answer to a question of the server's could be what the
  // call in flight waits for.
  EXPECT_THAT(call(gateway, R"({"jsonrpc":"2.0","id":3,"result":{}})"), StartsWith("HTTP/1.1 200"));
  release.set_value();
  EXPECT_EQ(body_of(first->read_message()), kResult);
  EXPECT_EQ(body_of(second->read_message()), kResult);
  EXPECT_TRUE(gateway.has_metric(waits + "0"));
}

TEST(Gateway, OneWhoLeavesTheQueueLeavesItsPlace) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future();
  FakeServer slow(each_request([released](const std::string&) {
    released.wait_for(std::chrono::seconds(10));
    return json_response(kResult);
  }));
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.limits.max_in_flight = 1;
  gateway.serve("a", {pod_at("pod-1", slow.port())}, traffic);
  const auto first = gateway.connect();
  first->send(to_server("a", post(kCall)));
  ASSERT_TRUE(eventually([&] { return slow.connections() == 1; }));
  auto second = gateway.connect();
  second->send(to_server("a", post(kCall)));
  const std::string waits = R"(mcp_queue_depth{namespace="team",server="a"} )";
  ASSERT_TRUE(eventually([&] { return gateway.has_metric(waits + "1"); }));
  second.reset();
  EXPECT_TRUE(eventually([&] { return gateway.has_metric(waits + "0"); }));
  release.set_value();
  EXPECT_EQ(body_of(first->read_message()), kResult);
  EXPECT_EQ(body_of(call(gateway, kCall)), kResult);
}

TEST(Gateway, RatesAreKeptPerCallerAndTool) {
  Pod pod("pod-1");
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.limits.rates = {{fleet::RateScope::Caller, "add", 2, std::chrono::hours(1)}};
  gateway.serve("a", {pod.endpoint()}, traffic);
  const std::string alice = "Authorization: Bearer alice\r\n";
  EXPECT_THAT(call(gateway, kCall, alice), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(call(gateway, kCall, alice), StartsWith("HTTP/1.1 200"));
  const auto reply = call(gateway, kCall, alice);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 429"));
  EXPECT_NE(field_of(reply, "Retry-After"), "");
  EXPECT_THAT(body_of(reply), HasSubstr("at most 2 calls of the tool add from one caller"));
  EXPECT_THAT(call(gateway, kList, alice), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(call(gateway, kCall, "Authorization: Bearer bob\r\n"), StartsWith("HTTP/1.1 200"));
  // Limits change while it runs.
  traffic.limits.rates.clear();
  gateway.serve("a", {pod.endpoint()}, traffic);
  EXPECT_THAT(call(gateway, kCall, alice), StartsWith("HTTP/1.1 200"));
}

TEST(Gateway, ACallThatTakesTooLongIsA504) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future();
  FakeServer slow(each_request([released](const std::string&) {
    released.wait_for(std::chrono::seconds(10));
    return json_response(kResult);
  }));
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.timeouts.call = std::chrono::milliseconds(100);
  gateway.serve("a", {pod_at("pod-1", slow.port())}, traffic);
  const auto reply = call(gateway, kCall);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 504"));
  EXPECT_THAT(body_of(reply), HasSubstr("pod pod-1 of team/a has not answered"));
  release.set_value();
}

TEST(Gateway, APodThatIsSilentForTooLongIsGivenUp) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future();
  FakeServer silent([released](Wire& wire) {
    if (wire.read_message().contains("tools/list"))  // begins at least
      wire.send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
          "Transfer-Encoding: chunked\r\n\r\n10\r\ndata: {\"a\": 1}\n\n\r\n");
    released.wait_for(std::chrono::seconds(10));
  });
  const KeyFolder keys;
  TestGateway gateway(keys);
  auto traffic = TestGateway::quick_traffic();
  traffic.timeouts.read = std::chrono::milliseconds(100);
  gateway.serve("a", {pod_at("pod-1", silent.port())}, traffic);
  EXPECT_THAT(call(gateway, kCall), StartsWith("HTTP/1.1 504"));
  const auto broken = call(gateway, kList);
  EXPECT_THAT(broken, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(broken, Not(HasSubstr("0\r\n\r\n")));  // the end that a whole answer has
  release.set_value();
}

TEST(Gateway, AStreamPassesWhileItIsOpenAndTellsWhereToGoOn) {
  std::promise<void> seen;
  FakeServer server([&](Wire& wire) {
    const auto request = wire.read_message();
    EXPECT_EQ(field_of(request, "Last-Event-ID"), "41");
    wire.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n10\r\ndata: {\"a\": 1}\n\n\r\n");
    seen.get_future().wait_for(std::chrono::seconds(10));
    wire.send("0\r\n\r\n");
    wire.read_message();
  });
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("a", {pod_at("pod-1", server.port())});
  const auto wire = gateway.connect();
  wire->send(
      "GET /team/a/mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
      "Last-Event-ID: 41\r\n\r\n");
  EXPECT_EQ(field_of(wire->read_until("\r\n\r\n"), "X-Accel-Buffering"), "no");
  EXPECT_EQ(wire->read_until("\n\n"), "10\r\ndata: {\"a\": 1}\n\n");
  seen.set_value();
  wire->read_until("\r\n0\r\n\r\n");
}

TEST(Gateway, SaysWhatIsWrongWithARequest) {
  Pod pod("pod-1");
  const KeyFolder keys;
  GatewayOptions options;
  options.max_body_bytes = 1000;
  TestGateway gateway(keys, options);
  gateway.serve("a", {pod.endpoint()});
  gateway.serve("empty", {});
  struct Case {
    std::string request;
    const char* status;
    const char* says;
  };
  for (const auto& [request, status, says] : {
           Case{post(kCall), "404", "there is nothing here; MCP is at /{namespace}/{name}/mcp"},
           Case{to_server("x", post(kCall)), "404", "there is no MCPServer team/x here"},
           Case{to_server("a", "PUT /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "405",
                "GET, POST and DELETE"},
           Case{to_server("a", post("garbage")), "400", "not a JSON-RPC message"},
           Case{to_server("a", post(std::string(2000, 'x'))), "413", "larger than 1000 bytes"},
           Case{to_server("empty", post(kCall)), "503", "team/empty: the server has no pods"},
           Case{"nonsense\r\n\r\n", "400", "not an HTTP/1.1 request"},
       }) {
    const auto reply = gateway.exchange(request);
    EXPECT_THAT(reply, StartsWith(std::string("HTTP/1.1 ") + status)) << request.substr(0, 60);
    EXPECT_THAT(body_of(reply), HasSubstr(says));
  }
  EXPECT_EQ(pod.count(), 0);
  (*gateway).remove_server({"team", "a"});
  EXPECT_THAT(call(gateway, kCall), StartsWith("HTTP/1.1 404"));
}

TEST(Gateway, IsNotReadyBeforeItKnowsItsServers) {
  const KeyFolder keys;
  TestGateway gateway(keys);
  EXPECT_THAT(gateway.metrics("/ready"), StartsWith("HTTP/1.1 200"));
  (*gateway).set_source({false, "the API server is away"});
  EXPECT_THAT(gateway.metrics("/ready"), StartsWith("HTTP/1.1 503"));
  const auto reply = call(gateway, kCall);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(field_of(reply, "Retry-After"), "1");
  EXPECT_TRUE(eventually([&] {
    const auto health = gateway.metrics("/health");
    return health.starts_with("HTTP/1.1 503") &&
           health.find("the API server is away") != std::string::npos;
  }));
  // The last that was known goes on.
  (*gateway).set_source({true, "the API server is away"});
  EXPECT_THAT(gateway.metrics("/ready"), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(eventually([&] {
    return gateway.metrics("/health").find(R"("status":"degraded")") != std::string::npos;
  }));
}

TEST(Gateway, TellsOfItsServersAndPods) {
  Pod pod("pod-1");
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("a", {pod.endpoint()});
  call(gateway, kCall);
  const std::string of = R"({namespace="team",server="a",method="tools/call",tool="add"})";
  EXPECT_TRUE(gateway.has_metric("mcp_requests_total" + of + " 1"));
  EXPECT_TRUE(gateway.has_metric("mcp_request_errors_total" + of + " 0"));
  EXPECT_TRUE(gateway.has_metric(
      R"(mcp_request_phase_seconds_count{namespace="team",server="a",phase="first_byte"} 1)"));
  const auto text = body_of(gateway.metrics("/metrics.json"));
  for (const char* part : {R"("namespace":"team","name":"a","requests":1,"errors":0)",
                           R"("name":"pod-1")", R"("healthy":true)", R"("errorRate":0.0)"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(gateway.metrics("/nothing"), StartsWith("HTTP/1.1 404"));
}

TEST(Gateway, ChecksItsPods) {
  Pod one("pod-1");
  const KeyFolder keys;
  for (const auto type : {fleet::HealthCheckType::Tcp, fleet::HealthCheckType::Mcp}) {
    TestGateway gateway(keys);
    auto traffic = TestGateway::quick_traffic();
    traffic.health = {type, std::chrono::milliseconds(50), std::chrono::seconds(5), 1, 1};
    gateway.serve("a", {one.endpoint(), pod_at("pod-2", dead_port())}, traffic);
    EXPECT_TRUE(eventually([&] {
      return gateway.has_metric(R"(mcp_pod_up{namespace="team",server="a",pod="pod-2"} 0)");
    }));
    EXPECT_TRUE(gateway.has_metric(R"(mcp_pod_up{namespace="team",server="a",pod="pod-1"} 1)"));
    EXPECT_THAT(gateway.metrics("/metrics.json"), HasSubstr("Connection refused"));
  }
}

TEST(Gateway, AsksSidecarsForTheirHealth) {
  Pod pod("pod-1");
  const KeyFolder keys;
  GatewayOptions options;
  options.sidecar_metrics_port = (*pod.sidecar()).metrics_port();
  TestGateway gateway(keys, options);
  auto traffic = TestGateway::quick_traffic();
  traffic.health = {fleet::HealthCheckType::Http, std::chrono::milliseconds(50),
                    std::chrono::seconds(5), 1, 1};
  // A session that another gateway began counts, too.
  EXPECT_THAT(pod.sidecar().exchange(post(kInitialize)), StartsWith("HTTP/1.1 200"));
  gateway.serve("a", {pod.endpoint()}, traffic);
  EXPECT_TRUE(eventually([&] {
    return gateway.has_metric(R"(mcp_pod_sessions{namespace="team",server="a",pod="pod-1"} 1)");
  }));
}

// An authority, and the files of a server's certificate that it signed.
class Certificates {
 public:
  Certificates()
      : start_(SystemClock().wall() - std::chrono::hours(1)),
        authority_(*http::make_authority("ca", start_, start_ + std::chrono::hours(48))) {
    issue();
  }
  void issue() const {
    const auto pair =
        *http::issue_certificate(authority_, {.common_name = "gateway",
                                              .ip_addresses = {"127.0.0.1"},
                                              .not_before = start_,
                                              .not_after = start_ + std::chrono::hours(48)});
    folder_.write("tls.crt", pair.certificate_pem);
    folder_.write("tls.key", pair.key_pem);
  }
  GatewayOptions options() const {
    GatewayOptions options;
    options.tls_certificate_file = folder_.file("tls.crt");
    options.tls_key_file = folder_.file("tls.key");
    return options;
  }
  const std::string& trusted() const { return authority_.certificate_pem; }

 private:
  WallTime start_;
  http::KeyPair authority_;
  KeyFolder folder_;
};

TEST(Gateway, SpeaksTls) {
  const std::string blob(3'000'000, 'b');
  FakeServer server(each_request([&blob](const std::string& request) {
    return json_response(std::to_string(body_of(request).size()) + blob);
  }));
  FakeServer told(each_request([](const std::string& request) {
    return json_response(field_of(request, "X-Forwarded-Proto") + " " +
                         field_of(request, "X-Forwarded-Host") + " " +
                         field_of(request, "Forwarded"));
  }));
  const Certificates certificates;
  const KeyFolder keys;
  TestGateway gateway(keys, certificates.options());
  gateway.serve("a", {pod_at("pod-1", server.port())});
  auto client = *http::Client::create({.tls = {.ca_pem = certificates.trusted()}});
  const std::string body = R"({"id":7,"method":"tools/call","params":{"x":")" + blob + R"("}})";
  for (int i = 0; i < 2; ++i) {
    const auto reply = client->call({"127.0.0.1", gateway.port(), true},
                                    {.method = "POST", .target = "/team/a/mcp", .body = body}, {});
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, std::to_string(body.size()) + blob);
  }
  gateway.serve("told", {pod_at("pod-1", told.port())});
  const auto reply = client->call({"127.0.0.1", gateway.port(), true},
                                  {.method = "POST",
                                   .target = "/team/told/mcp",
                                   .headers = {{"X-Forwarded-Proto", "http"},
                                               {"X-Forwarded-Host", "x"},
                                               {"Forwarded", "for=x"}},
                                   .body = std::string(kList)},
                                  {});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, "https 127.0.0.1:" + std::to_string(gateway.port()) + " ");
  // Who speaks no TLS gets nothing, and nobody else is hurt.
  EXPECT_THAT(call(gateway, kCall), Not(HasSubstr("HTTP/1.1 200")));
  EXPECT_TRUE(client->call({"127.0.0.1", gateway.port(), true},
                           {.method = "GET", .target = "/team/a/mcp"}, {}));
}

TEST(Gateway, SaysWhichCertificateIsWrong) {
  const Certificates certificates;
  const KeyFolder keys;
  auto options = certificates.options();
  options.session_key_file = keys.file();
  options.tls_key_file = keys.file("nothing");
  auto made = Gateway::create(options);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("cannot read " + keys.file("nothing")));
  keys.write("other", "not PEM");
  options.tls_key_file = keys.file("other");
  made = Gateway::create(options);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("the private key cannot be used"));
}

TEST(TlsFiles, TakesACertificateThatHasChanged) {
  const Certificates certificates;
  const auto options = certificates.options();
  auto files = TlsFiles::load(options.tls_certificate_file, options.tls_key_file);
  ASSERT_TRUE(files);
  const auto first = files->context();
  EXPECT_EQ(files->reload(), Result<bool>(false));
  EXPECT_EQ(files->context(), first);
  certificates.issue();
  EXPECT_EQ(files->reload(), Result<bool>(true));
  EXPECT_NE(files->context(), first);
}

TEST(Gateway, DrainsBeforeItEnds) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future();
  FakeServer slow(each_request([released](const std::string&) {
    released.wait_for(std::chrono::seconds(10));
    return json_response(kResult);
  }));
  Pod pod("pod-1");
  const KeyFolder keys;
  TestGateway gateway(keys);
  gateway.serve("slow", {pod_at("pod-0", slow.port())});
  gateway.serve("a", {pod.endpoint()});
  const auto wire = gateway.connect();
  wire->send(to_server("slow", post(kCall)));
  ASSERT_TRUE(eventually([&] { return slow.connections() == 1; }));
  (*gateway).terminate();
  ASSERT_TRUE(eventually([&] { return gateway.metrics("/ready").starts_with("HTTP/1.1 503"); }));
  EXPECT_TRUE(gateway.has_metric("mcp_draining 1"));
  const auto reply = call(gateway, kCall);  // those who have not heard of it are still served
  EXPECT_EQ(body_of(reply), kResult);
  EXPECT_EQ(field_of(reply, "Connection"), "close");
  release.set_value();
  EXPECT_EQ(body_of(wire->read_message()), kResult);
  gateway.join();
}

}  // namespace
}  // namespace mcpfleet::proxy
