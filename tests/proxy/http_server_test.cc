// The sidecar in front of a streamable-http server, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <nlohmann/json.hpp>

#include "test_net.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kCall =
    R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add"}})";
constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})";
constexpr std::string_view kResult = R"({"jsonrpc":"2.0","id":7,"result":{"content":[]}})";

std::string session_field(const std::string& id) { return "Mcp-Session-Id: " + id + "\r\n"; }

// Remembers what it was asked, and mints the session "backend-1" on initialize.
class SessionServer {
 public:
  std::string last() {
    std::lock_guard lock(mutex_);
    return last_;
  }
  int count() {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::string answer(const std::string& request) {
    std::lock_guard lock(mutex_);
    last_ = request;
    ++count_;
    if (request.starts_with("DELETE")) return "HTTP/1.1 204 No Content\r\n\r\n";
    const bool starts = request.find("initialize") != std::string::npos;
    const auto id = starts ? std::string("backend-1") : field_of(request, "mcp-session-id");
    if (!starts && id == "lost") return json_response("{}", "", "404 Not Found");
    return json_response(starts ? R"({"jsonrpc":"2.0","id":1,"result":{}})" : kResult,
                         id.empty() ? "" : "mcp-session-id: " + id + "\r\n");
  }

  std::mutex mutex_;
  std::string last_;
  int count_ = 0;

 public:
  FakeServer server{each_request([this](const std::string& request) { return answer(request); })};
};

std::string start_session(const TestSidecar& sidecar) {
  return field_of(sidecar.exchange(post(kInitialize)), "Mcp-Session-Id");
}

TEST(HttpServer, PassesARequestOnAndCountsItByTool) {
  SessionServer server;
  TestSidecar sidecar(for_upstream(server.server));
  const auto reply =
      sidecar.exchange(post(kCall,
                            "Connection: x-private\r\nX-Private: 1\r\nX-Own: 2\r\nTE: trailers\r\n"
                            "Mcpfleet-Forwarded: 1\r\nX-Forwarded-For: 10.1.1.1\r\n"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(body_of(reply), kResult);
  const auto seen = server.last();
  EXPECT_EQ(body_of(seen), kCall);
  EXPECT_EQ(field_of(seen, "Host"), "127.0.0.1:" + std::to_string(server.server.port()));
  EXPECT_EQ(field_of(seen, "X-Forwarded-Host"), "service");
  EXPECT_EQ(field_of(seen, "X-Forwarded-For"), "10.1.1.1, 127.0.0.1");
  EXPECT_EQ(field_of(seen, "X-Own"), "2");
  for (const char* dropped : {"X-Private", "TE", "Mcpfleet-Forwarded", "Connection"})
    EXPECT_EQ(field_of(seen, dropped), "") << dropped;
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_requests_total{method="tools/call",tool="add"} 1)"));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_request_errors_total{method="tools/call",tool="add"} 0)"));
  EXPECT_TRUE(sidecar.has_metric("mcp_requests_in_flight 0"));
}

TEST(HttpServer, TellsItsStatisticsAsJson) {
  SessionServer server;
  TestSidecar sidecar(for_upstream(server.server));
  EXPECT_THAT(body_of(sidecar.metrics("/metrics.json")),
              HasSubstr(R"("requests":0,"errors":0,"meanSeconds":null)"));
  EXPECT_THAT(sidecar.exchange(post(kCall)), StartsWith("HTTP/1.1 200"));
  ASSERT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 0"); }));
  const auto statistics = nlohmann::json::parse(body_of(sidecar.metrics("/metrics.json")));
  EXPECT_EQ(statistics["requests"], 1);
  EXPECT_EQ(statistics["transport"], "streamable-http");
  EXPECT_GT(statistics["p95Seconds"], 0);
  ASSERT_EQ(statistics["calls"].size(), 1U) << statistics;
  EXPECT_EQ(statistics["calls"][0]["tool"], "add");
  EXPECT_EQ(statistics["calls"][0]["requests"], 1);
}

TEST(HttpServer, TellsANewReaderOfItsPast) {
  SessionServer server;
  TestSidecar sidecar(for_upstream(server.server));
  const auto past = [&sidecar] { return sidecar.metrics("/metrics?past=2"); };
  ASSERT_TRUE(eventually([&] { return past().find("# EOF\n") != std::string::npos; }));
  sidecar.exchange(post(kCall));
  const auto text = past();
  const auto now = text.substr(text.rfind("# EOF\n"));
  const std::string call = R"(mcp_requests_total{method="tools/call",tool="add"} )";
  EXPECT_THAT(now, HasSubstr(call + "1\n"));
  EXPECT_THAT(now, Not(HasSubstr("mcp_snapshot_age_seconds")));
  const auto before = text.substr(0, text.find("# EOF\n"));
  EXPECT_THAT(before, HasSubstr("mcp_snapshot_age_seconds "));
  EXPECT_THAT(before, HasSubstr(call + "0\n"));
  for (const char* path : {"/metrics", "/metrics?past=", "/metrics?past=-1", "/metrics?past=x"})
    EXPECT_THAT(sidecar.metrics(path), Not(HasSubstr("# EOF"))) << path;
}

TEST(HttpServer, SealsSessionIdsAndCountsSessions) {
  SessionServer server;
  TestSidecar sidecar(for_upstream(server.server));
  const auto id = start_session(sidecar);
  ASSERT_GT(id.size(), 40u);
  EXPECT_EQ(id.find("backend"), std::string::npos);
  const auto reply = sidecar.exchange(post(kCall, session_field(id)));
  EXPECT_EQ(field_of(server.last(), "Mcp-Session-Id"), "backend-1");
  EXPECT_EQ(field_of(reply, "Mcp-Session-Id"), id);
  EXPECT_TRUE(sidecar.has_metric("mcp_active_sessions 1"));
  EXPECT_THAT(sidecar.exchange("DELETE /mcp HTTP/1.1\r\nHost: x\r\n" + session_field(id) + "\r\n"),
              StartsWith("HTTP/1.1 204"));
  EXPECT_TRUE(sidecar.has_metric("mcp_active_sessions 0"));
}

TEST(HttpServer, AnswersForeignAndChangedSessionIdsWith404) {
  SessionServer server;
  TestSidecar sidecar(for_upstream(server.server));
  auto changed = start_session(sidecar);
  changed[20] = changed[20] == 'A' ? 'B' : 'A';
  const auto before = server.count();
  for (const auto& id : {changed, std::string("backend-1"), std::string(5000, 'A')}) {
    const auto reply = sidecar.exchange(post(kCall, session_field(id)));
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(body_of(reply), HasSubstr(R"("id":7)"));
    EXPECT_THAT(body_of(reply), HasSubstr("session not found"));
  }
  EXPECT_EQ(server.count(), before);
}

TEST(HttpServer, PassesASessionOnToThePodThatOwnsIt) {
  SessionServer server_a, server_b;
  TestSidecar a(for_upstream(server_a.server, "pod-a"));
  TestSidecar b(for_upstream(server_b.server, "pod-b"));
  const auto id = start_session(a);
  const auto reply = b.exchange(post(kCall, session_field(id)));
  EXPECT_EQ(body_of(reply), kResult);
  EXPECT_EQ(field_of(reply, "Mcp-Session-Id"), id);
  EXPECT_EQ(field_of(server_a.last(), "Mcp-Session-Id"), "backend-1");
  EXPECT_EQ(field_of(server_a.last(), "Mcpfleet-Forwarded"), "");
  EXPECT_EQ(server_b.count(), 0);
  EXPECT_TRUE(b.has_metric("mcp_forwarded_requests_total 1"));
  EXPECT_TRUE(a.has_metric(R"(mcp_requests_total{method="tools/call",tool="add"} 1)"));
  EXPECT_THAT(b.metrics(), Not(HasSubstr("tools/call")));
  // What was passed on once is never passed on again.
  const auto again = b.exchange(post(kCall, session_field(id) + "Mcpfleet-Forwarded: 1\r\n"));
  EXPECT_THAT(again, StartsWith("HTTP/1.1 404"));
}

TEST(HttpServer, ASessionWhosePodIsGoneIsNotFound) {
  SessionServer server;
  std::string id;
  {
    TestSidecar gone(for_upstream(server.server, "pod-gone"));
    id = start_session(gone);
  }
  TestSidecar sidecar(for_upstream(server.server, "pod-b"));
  const auto reply = sidecar.exchange(post(kCall, session_field(id)));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(body_of(reply), HasSubstr("its pod pod-gone"));
  EXPECT_THAT(body_of(reply), HasSubstr(R"("code":-32001)"));
}

TEST(HttpServer, AnEventArrivesBeforeTheStreamEnds) {
  std::promise<void> seen;
  FakeServer server([&](Wire& wire) {
    wire.read_message();
    wire.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n10\r\ndata: {\"a\": 1}\n\n\r\n");
    seen.get_future().wait_for(std::chrono::seconds(10));
    wire.send(
        "3b\r\ndata: {\"id\":7,\"result\":{\"isError\":true,\"content\":[]}}\n\n   \r\n"
        "0\r\n\r\n");
    wire.read_message();
  });
  TestSidecar sidecar(for_upstream(server));
  const auto wire = sidecar.connect();
  wire->send(post(kCall));
  const auto head = wire->read_until("\r\n\r\n");
  EXPECT_EQ(field_of(head, "X-Accel-Buffering"), "no");
  EXPECT_EQ(wire->read_until("\n\n"), "10\r\ndata: {\"a\": 1}\n\n");
  EXPECT_TRUE(sidecar.has_metric("mcp_requests_in_flight 1"));
  seen.set_value();
  EXPECT_THAT(wire->read_until("\r\n0\r\n\r\n"), HasSubstr("isError"));
  EXPECT_TRUE(eventually([&] {
    return sidecar.has_metric(R"(mcp_request_errors_total{method="tools/call",tool="add"} 1)");
  }));
}

TEST(HttpServer, AClientThatLeavesASilentStreamClosesTheServersSide) {
  std::promise<bool> closed;
  FakeServer server([&](Wire& wire) {
    wire.read_message();
    wire.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    closed.set_value(wire.closed());
  });
  TestSidecar sidecar(for_upstream(server));
  auto wire = sidecar.connect();
  wire->send("GET /mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
  wire->read_until("\r\n\r\n");
  wire.reset();
  EXPECT_TRUE(closed.get_future().get());
}

TEST(HttpServer, AServerThatIsDownIsA502ThatSaysSo) {
  auto options = test_options("pod-a");
  {
    FakeServer server([](Wire&) {});
    options.upstream = http::Endpoint{"127.0.0.1", server.port(), false};
  }
  TestSidecar sidecar(options);
  const auto reply = sidecar.exchange(post(kCall));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 502"));
  EXPECT_THAT(body_of(reply), HasSubstr(R"("id":7)"));
  EXPECT_THAT(body_of(reply), HasSubstr("cannot be reached: Connection refused"));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_request_errors_total{method="tools/call",tool="add"} 1)"));
  EXPECT_THAT(sidecar.metrics("/ready"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(sidecar.metrics("/health"), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, KeepsConnectionsAndNeverSendsAPostTwice) {
  std::atomic<int> posts = 0, gets = 0;
  // Answers the first request of each connection and hangs up on the second.
  FakeServer server([&](Wire& wire) {
    for (int i = 0; i < 2; ++i) {
      const auto request = wire.read_message();
      if (request.empty()) return;
      ++(request.starts_with("GET") ? gets : posts);
      if (i == 0) wire.send(json_response(kResult));
    }
  });
  TestSidecar sidecar(for_upstream(server));
  EXPECT_THAT(sidecar.exchange(post(kCall)), StartsWith("HTTP/1.1 200"));
  const auto reply = sidecar.exchange(post(kCall));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 502"));
  EXPECT_EQ(posts, 2);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(sidecar.exchange(post(kCall)), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(server.connections(), 2);
  // A GET may be repeated.
  EXPECT_THAT(sidecar.exchange("GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(gets, 2);
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpServer, AConnectionThatTheServerClosedMeanwhileIsNotUsed) {
  FakeServer server([](Wire& wire) {
    wire.read_message();
    wire.send(json_response(kResult));
  });
  TestSidecar sidecar(for_upstream(server));
  for (int i = 1; i <= 3; ++i) {
    EXPECT_THAT(sidecar.exchange(post(kCall)), StartsWith("HTTP/1.1 200"));
    EXPECT_TRUE(eventually([&] { return server.ended() == i; }));
  }
}

TEST(HttpServer, RefusesWhatItCannotPassOn) {
  SessionServer server;
  auto options = for_upstream(server.server);
  options.max_body_bytes = 1000;
  TestSidecar sidecar(options);
  struct Case {
    std::string request;
    const char* status;
    const char* says;
  };
  const std::string deep = "{\"a\":" + std::string(300, '[');
  for (const auto& [request, status, says] : {
           Case{"GET /other HTTP/1.1\r\nHost: x\r\n\r\n", "404", "MCP is at /mcp"},
           Case{"PUT /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405", "GET, POST"},
           Case{post(std::string(2000, 'x')), "413", "larger than 1000 bytes"},
           Case{post(kCall, "X: " + std::string(70'000, 'x') + "\r\n"), "431", "header fields"},
           Case{post(deep), "400", "nested too deeply"},
           Case{post("garbage"), "400", "not a JSON-RPC message"},
           Case{post(""), "400", "ends too early"},
           Case{"nonsense\r\n\r\n", "400", "not an HTTP/1.1 request"},
       }) {
    const auto reply = sidecar.exchange(request);
    EXPECT_THAT(reply, StartsWith(std::string("HTTP/1.1 ") + status)) << request.substr(0, 60);
    EXPECT_THAT(body_of(reply), HasSubstr(says));
  }
  EXPECT_EQ(server.count(), 0);
  EXPECT_THAT(sidecar.exchange(post(kCall)), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, LetsNoForeignPageIn) {
  SessionServer server;
  auto options = for_upstream(server.server);
  options.allowed_origins = {"https://app.example.com"};
  TestSidecar sidecar(options);
  const auto foreign = sidecar.exchange(post(kCall, "Origin: http://evil.example.com\r\n"));
  EXPECT_THAT(foreign, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(foreign, HasSubstr("Origin"));
  EXPECT_EQ(server.count(), 0);
  for (const std::string origin : {"http://localhost:6274", "https://app.example.com"})
    EXPECT_THAT(sidecar.exchange(post(kCall, "Origin: " + origin + "\r\n")),
                StartsWith("HTTP/1.1 200"))
        << origin;
}

TEST(HttpServer, PassesTheMetadataOfAuthorizationOn) {
  SessionServer server;
  TestSidecar sidecar(for_upstream(server.server));
  const auto get = [&](const std::string& verb) {
    return sidecar.exchange(verb + " /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\n" +
                            "Host: x\r\n\r\n");
  };
  EXPECT_THAT(get("GET"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(server.last(), StartsWith("GET /.well-known/oauth-protected-resource/mcp "));
  EXPECT_THAT(get("DELETE"), StartsWith("HTTP/1.1 404"));
}

TEST(HttpServer, ARequestThatStandsAloneHasNoSession) {
  SessionServer server;
  TestSidecar sidecar(for_upstream(server.server));
  EXPECT_THAT(sidecar.exchange(post(kCall, "MCP-Protocol-Version: 2026-07-28\r\n" +
                                               session_field("not-one-of-ours"))),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(server.last(), Not(HasSubstr("not-one-of-ours")));
}

TEST(HttpServer, AskingAnOlderServerWhatItIsCountsAsNoError) {
  FakeServer server(each_request([](const std::string& request) {
    if (request.find("\"id\":2") != std::string::npos)
      return json_response("unsupported version", "", "400 Bad Request");
    return json_response(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"?"}})", "",
                         "400 Bad Request");
  }));
  TestSidecar sidecar(for_upstream(server));
  sidecar.exchange(post(R"({"jsonrpc":"2.0","id":1,"method":"server/discover"})"));
  sidecar.exchange(post(R"({"jsonrpc":"2.0","id":2,"method":"server/discover"})"));
  sidecar.exchange(post(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})"));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_requests_total{method="server/discover",tool=""} 2)"));
  EXPECT_TRUE(
      sidecar.has_metric(R"(mcp_request_errors_total{method="server/discover",tool=""} 0)"));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_request_errors_total{method="tools/list",tool=""} 1)"));
}

// Streams of minutes would pass for slow calls, and hold back the drain.
TEST(HttpServer, ASubscriptionIsNoRequestThatTakesTime) {
  FakeServer server([](Wire& wire) {
    wire.read_message();
    wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n");
    wire.closed();
  });
  auto options = for_upstream(server);
  options.drain_timeout = std::chrono::seconds(60);
  TestSidecar sidecar(options);
  const auto client = sidecar.connect();
  client->send(post(R"({"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"})",
                    "Mcp-Method: subscriptions/listen\r\n"));
  EXPECT_THAT(client->read_until("data: {}"), HasSubstr("data: {}"));
  EXPECT_TRUE(sidecar.has_metric("mcp_requests_in_flight 0"));
  (*sidecar).terminate();
  EXPECT_TRUE(sidecar.join());
}

TEST(HttpServer, PassesLargeBodiesBothWays) {
  const std::string blob(6'000'000, 'b');
  FakeServer server(each_request([&](const std::string& request) {
    const auto text = std::to_string(body_of(request).size()) + blob;
    std::string out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < text.size(); at += 99'999) {
      const auto piece = text.substr(at, 99'999);
      char size[16];
      std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      out.append(size).append(piece).append("\r\n");
    }
    return out + "0\r\n\r\n";
  }));
  TestSidecar sidecar(for_upstream(server));
  const auto request = R"({"id":7,"method":"tools/call","params":{"arguments":{"x":")" + blob +
                       R"("},"name":"big"}})";
  const auto reply = sidecar.exchange(post(request));
  EXPECT_EQ(body_of(reply), std::to_string(request.size()) + blob);
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_requests_total{method="tools/call",tool="big"} 1)"));
}

TEST(HttpServer, CountsEveryKindOfError) {
  std::string next;
  FakeServer server([&](Wire& wire) {
    wire.read_message();
    wire.send(next);
  });
  TestSidecar sidecar(for_upstream(server));
  int errors = 0;
  for (const auto& response : {
           json_response(R"({"id":7,"error":{"code":-32602,"message":"x"}})"),
           json_response(R"({"id":7,"result":{"isError":true}})"),
           json_response(std::string(kResult), "", "500 Internal Server Error"),
           json_response("{\"id\":7,\"res"),
           json_response("oops", "", "400 Bad Request"),
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\":7"),
           std::string("what\r\n\r\n"),
           std::string(),
           std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
       }) {
    next = response + " ";
    if (!response.empty()) next.pop_back();
    if (response.empty()) next.clear();
    sidecar.exchange(post(kCall));
    ++errors;
    const auto line =
        R"(mcp_request_errors_total{method="tools/call",tool="add"} )" + std::to_string(errors);
    EXPECT_TRUE(eventually([&] { return sidecar.has_metric(line); })) << response;
  }
  next = json_response(kResult, "Connection: close\r\n");
  sidecar.exchange(post(kCall));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_requests_total{method="tools/call",tool="add"} )" +
                                 std::to_string(errors + 1)));
}

TEST(HttpServer, SpeaksToClientsOfHttp10) {
  FakeServer server(each_request([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  }));
  TestSidecar sidecar(for_upstream(server));
  const auto wire = sidecar.connect();
  wire->send("GET /mcp HTTP/1.0\r\n\r\n");
  const auto all = wire->read_until("never comes");
  EXPECT_EQ(body_of(all), "hello");
  EXPECT_EQ(field_of(all, "Transfer-Encoding"), "");
}

TEST(HttpServer, DrainsBeforeItEnds) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future();
  FakeServer server(each_request([&](const std::string& request) {
    if (request.find("tools/call") != std::string::npos)
      released.wait_for(std::chrono::seconds(10));
    return json_response(kResult);
  }));
  TestSidecar sidecar(for_upstream(server));
  ASSERT_TRUE(eventually([&] { return sidecar.metrics("/ready").starts_with("HTTP/1.1 200"); }));
  const auto slow = sidecar.connect();
  slow->send(post(kCall));
  ASSERT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  (*sidecar).terminate();
  ASSERT_TRUE(eventually([&] { return sidecar.metrics("/ready").starts_with("HTTP/1.1 503"); }));
  EXPECT_TRUE(sidecar.has_metric("mcp_draining 1"));
  // New sessions are taken during the grace, and then no more; what is in flight ends.
  auto reply = sidecar.exchange(post(kInitialize));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(field_of(reply, "Connection"), "close");
  ASSERT_TRUE(eventually([&] {
    reply = sidecar.exchange(post(kInitialize));
    return reply.starts_with("HTTP/1.1 503");
  }));
  EXPECT_EQ(field_of(reply, "Retry-After"), "1");
  release.set_value();
  EXPECT_EQ(body_of(slow->read_message()), kResult);
  EXPECT_TRUE(sidecar.join());
}

}  // namespace
}  // namespace mcpfleet::proxy
