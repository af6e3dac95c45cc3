// The sidecar with a server of the old HTTP+SSE transport, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_sse_server.h"
#include "stdio_client.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(SseServer, ASessionIsAStream) {
  FakeSseServer server;
  TestSidecar sidecar(server.options());
  const Session one(sidecar), two(sidecar);
  EXPECT_THAT(one.first_reply(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(body_of(one.first_reply()), HasSubstr("2024-11-05"));
  EXPECT_THAT(one.call(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"),
              StartsWith("HTTP/1.1 202"));
  EXPECT_NE(text_of(one.call(1, "stream")), text_of(two.call(1, "stream")));
  EXPECT_EQ(text_of(one.call(2, "noise")), "after the noise");
  EXPECT_TRUE(sidecar.has_metric("mcp_active_sessions 2"));
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_sse_connections 2"); }));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_requests_total{method="tools/call",tool="stream"} 2)"));
  EXPECT_THAT(sidecar.metrics("/health"), HasSubstr(R"("transport":"sse")"));

  EXPECT_THAT(one.end(), StartsWith("HTTP/1.1 204"));
  EXPECT_TRUE(eventually([&] { return server.streams() == 1; }));
  EXPECT_THAT(one.call(3, "stream"), StartsWith("HTTP/1.1 404"));
}

TEST(SseServer, SharedSessionsHaveOneStreamAndOutliveIt) {
  FakeSseServer server;
  auto options = server.options();
  options.bridge_mode = BridgeMode::Shared;
  TestSidecar sidecar(options);
  const Session one(sidecar), two(sidecar);
  const auto first = text_of(one.call(1, "stream"));
  EXPECT_EQ(text_of(two.call(1, "stream")), first);
  EXPECT_THAT(body_of(one.call(2, "break")), HasSubstr("-32000"));
  EXPECT_NE(text_of(two.call(2, "stream")), first);
  EXPECT_EQ(text_of(one.call(3, "stream")), text_of(two.call(3, "stream")));
}

TEST(SseServer, WhatItSaysBeforeItsAnswerComesAsEvents) {
  FakeSseServer server;
  TestSidecar sidecar(server.options());
  const Session session(sidecar);
  const auto reply = session.call(tool_call(5, "progress", json::object(), "token-1"));
  EXPECT_EQ(field_of(reply, "Content-Type"), "text/event-stream");
  EXPECT_THAT(reply, HasSubstr(R"("progressToken":"token-1")"));
  EXPECT_LT(reply.find("notifications/progress"), reply.find("done"));
}

// Also where the server does not answer the POST of a call before the call is over.
TEST(SseServer, MayAskItsClient) {
  for (const bool late : {false, true}) {
    FakeSseServer server;
    FakeSseServer::Manners manners;
    manners.answers_late = late;
    server.set_manners(manners);
    TestSidecar sidecar(server.options());
    const Session session(sidecar);
    const auto wire = sidecar.connect();
    wire->send(post(tool_call(1, "ask"), session.field()));
    EXPECT_THAT(wire->read_until("roots/list"), HasSubstr(R"("id":"s1")"));
    EXPECT_THAT(session.call(R"({"jsonrpc":"2.0","id":"s1","result":{"roots":[7]}})"),
                StartsWith("HTTP/1.1 202"));
    EXPECT_THAT(wire->read_until("0\r\n\r\n"), HasSubstr("roots")) << late;
  }
}

TEST(SseServer, ABrokenStreamEndsItsSessionWithAnError) {
  FakeSseServer server;
  TestSidecar sidecar(server.options());
  const Session session(sidecar);
  const auto waiting = sidecar.connect();
  waiting->send(post(tool_call(1, "hang"), session.field()));
  ASSERT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  for (const auto& reply : {session.call(2, "break"), waiting->read_message()}) {
    EXPECT_THAT(body_of(reply), HasSubstr("-32000"));
    EXPECT_THAT(body_of(reply), HasSubstr("/sse ended its stream"));
  }
  EXPECT_THAT(session.call(3, "stream"), StartsWith("HTTP/1.1 404"));
  const Session next(sidecar);
  EXPECT_THAT(next.call(1, "stream"), StartsWith("HTTP/1.1 200"));
}

TEST(SseServer, AMessageThatItRefusesIsAnErrorOfThatRequest) {
  FakeSseServer server;
  TestSidecar sidecar(server.options());
  const Session session(sidecar);
  EXPECT_THAT(body_of(session.call(1, "refuse")), HasSubstr("refused a message with HTTP 413"));
  EXPECT_THAT(session.call(2, "stream"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(body_of(session.call(3, "forget")), HasSubstr("does not know its stream"));
  EXPECT_THAT(session.call(4, "stream"), StartsWith("HTTP/1.1 404"));
  EXPECT_TRUE(eventually([&] { return server.streams() == 0; }));
}

TEST(SseServer, AnEventWithoutEndIsCutOff) {
  FakeSseServer server;
  TestSidecar sidecar(server.options());
  const Session session(sidecar);
  EXPECT_THAT(body_of(session.call(1, "flood")), HasSubstr("longer than 67108864 bytes"));
}

TEST(SseServer, TakesNoMoreConnectionsThanAllowed) {
  FakeSseServer server;
  auto options = server.options();
  options.max_links = 1;
  TestSidecar sidecar(options);
  const Session one(sidecar);
  const Session two(sidecar);
  EXPECT_THAT(two.first_reply(), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(body_of(two.first_reply()), HasSubstr("all 1 connections to the server are taken"));
}

TEST(SseServer, AHungStreamIsEnded) {
  FakeSseServer server;
  auto options = server.options();
  options.hang_timeout = std::chrono::milliseconds(600);
  TestSidecar sidecar(options);
  const Session good(sidecar), hung(sidecar);
  const auto waiting = sidecar.connect();
  waiting->send(post(tool_call(1, "hang"), good.field()));  // and it answers pings
  EXPECT_THAT(body_of(hung.call(1, "stop")), HasSubstr("did not answer for too long"));
  EXPECT_THAT(hung.call(2, "stream"), StartsWith("HTTP/1.1 404"));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_sse_replaced_total{reason="hung"} 1)"));
  EXPECT_THAT(good.call(2, "stream"), StartsWith("HTTP/1.1 200"));
}

TEST(SseServer, IsReadyWhenItBeginsToSpeak) {
  struct Case {
    FakeSseServer::Manners manners;
    const char* says;
  };
  const std::string stream = "text/event-stream";
  for (const auto& [manners, says] : {
           Case{{"503 Service Unavailable", stream, ""}, "answered GET with HTTP 503"},
           Case{{"200 OK", "application/json", ""}, "something else than text/event-stream"},
           Case{{"200 OK", stream, ""}, "sent no endpoint event within 1s"},
           Case{{"200 OK", stream, "http://169.254.169.254/"},
                "an endpoint event that names another origin than http://127.0.0.1:"},
           Case{{"200 OK", stream, "/a b"}, "an endpoint event that has a character"},
       }) {
    FakeSseServer server(manners);
    TestSidecar sidecar(server.options());
    EXPECT_TRUE(eventually([&] {
      return sidecar.metrics("/health").find(says) != std::string::npos;
    })) << says
        << ": " << sidecar.metrics("/health");
    EXPECT_THAT(sidecar.metrics("/ready"), StartsWith("HTTP/1.1 503"));
    server.set_manners({});
    const Session session(sidecar);  // waits for it
    EXPECT_EQ(text_of(session.call(1, "noise")), "after the noise") << says;
    EXPECT_EQ(sidecar.metrics("/health").find("reason"), std::string::npos);
  }
}

}  // namespace
}  // namespace mcpfleet::proxy
