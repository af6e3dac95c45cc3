// The sidecar with a stdio server, over real sockets and with real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stdio_client.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(StdioServer, RunsAProcessForEachSession) {
  TestSidecar sidecar(with_fake());
  const Session one(sidecar), two(sidecar);
  EXPECT_THAT(one.first_reply(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(body_of(one.first_reply()), HasSubstr("2025-06-18"));
  EXPECT_THAT(one.call(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"),
              StartsWith("HTTP/1.1 202"));
  const auto pid_one = text_of(one.call(1, "pid")), pid_two = text_of(two.call(1, "pid"));
  EXPECT_NE(pid_one, pid_two);
  EXPECT_EQ(text_of(one.call(2, "echo", {{"text", "line\nbreak é"}})), "line\nbreak é");
  EXPECT_THAT(one.call("{\"id\":\"a\",\n\r\"method\":\n\"ping\"}"), HasSubstr(R"("id": "a")"));
  EXPECT_TRUE(sidecar.has_metric("mcp_active_sessions 2"));
  // The process that was asked whether the server is ready may be there for a moment.
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_stdio_processes 2"); }));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_requests_total{method="tools/call",tool="pid"} 2)"));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_requests_total{method="initialize",tool=""} 2)"));

  EXPECT_THAT(one.end(), StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(one.call(3, "pid"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(one.end(), StartsWith("HTTP/1.1 404"));
  EXPECT_TRUE(eventually([&] { return is_gone(pid_one); }));
  EXPECT_EQ(text_of(two.call(2, "pid")), pid_two);
}

TEST(StdioServer, SendsEventsWhenTheServerSpeaksBeforeItAnswers) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  const auto reply = session.call(tool_call(5, "progress", json::object(), "token-1"));
  EXPECT_EQ(field_of(reply, "Content-Type"), "text/event-stream");
  const auto progress = reply.find("notifications/progress"), done = reply.find("done");
  ASSERT_NE(done, std::string::npos) << reply;
  EXPECT_LT(progress, done);
}

TEST(StdioServer, OtherMessagesGoToTheOpenStreamOrWaitForIt) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  EXPECT_EQ(text_of(session.call(1, "announce")), "soon");
  const auto first = session.stream();
  EXPECT_THAT(first->read_until("\n\n"), HasSubstr("list_changed"));
  EXPECT_EQ(text_of(session.call(2, "announce")), "soon");
  EXPECT_THAT(first->read_until("\n\n"), HasSubstr("list_changed"));
  // A second stream takes the place of the first.
  const auto second = session.stream();
  EXPECT_THAT(first->read_until("0\r\n\r\n"), HasSubstr("0\r\n\r\n"));
  EXPECT_EQ(text_of(session.call(3, "announce")), "soon");
  EXPECT_THAT(second->read_until("\n\n"), HasSubstr("list_changed"));
  session.end();
  EXPECT_THAT(second->read_until("0\r\n\r\n"), HasSubstr("0\r\n\r\n"));
}

TEST(StdioServer, RequestsOfOneSessionDoNotWaitForEachOther) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  const auto slow = sidecar.connect();
  slow->send(post(tool_call(1, "slow"), session.field()));
  EXPECT_EQ(text_of(session.call(2, "echo", {{"text", "quick"}})), "quick");
  EXPECT_EQ(text_of(slow->read_message()), "slow");
}

TEST(StdioServer, AnswersABatchAsAnArray) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  const auto reply =
      session.call("[" + tool_call(1, "echo", {{"text", "a"}}) + "," +
                   tool_call(2, "echo", {{"text", "b"}}) + R"(,{"method":"notifications/x"}])");
  const auto answers = json::parse(body_of(reply));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0]["id"], 1);
  EXPECT_EQ(answers[1]["id"], 2);
}

TEST(StdioServer, ACrashIsAnErrorThatNamesTheStatus) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  const auto pid = text_of(session.call(1, "pid"));
  const auto reply = session.call(2, "crash");
  EXPECT_THAT(body_of(reply), HasSubstr("exited with status 3"));
  EXPECT_THAT(body_of(reply), HasSubstr(R"("id":2)"));
  EXPECT_TRUE(is_gone(pid));
  EXPECT_THAT(session.call(3, "pid"), StartsWith("HTTP/1.1 404"));
  EXPECT_TRUE(
      sidecar.has_metric(R"(mcp_request_errors_total{method="tools/call",tool="crash"} 1)"));
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_stdio_processes 0"); }));
}

TEST(StdioServer, AClientThatLeavesARequestDoesNotEndTheSession) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  auto wire = sidecar.connect();
  wire->send(post(tool_call(1, "hang"), session.field()));
  ASSERT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  wire.reset();
  EXPECT_EQ(text_of(session.call(2, "echo", {{"text", "here"}})), "here");
}

TEST(StdioServer, ARequestIdInFlightCannotBeUsedAgain) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  const auto wire = sidecar.connect();
  wire->send(post(tool_call(1, "hang"), session.field()));
  ASSERT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  EXPECT_THAT(session.call(1, "echo"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(session.call("[" + tool_call(2, "echo") + "," + tool_call(2, "echo") + "]"),
              StartsWith("HTTP/1.1 400"));
}

TEST(StdioServer, LeavesNoProcessBehind) {
  std::string leader, child, stubborn;
  {
    TestSidecar sidecar(with_fake());
    const Session one(sidecar), two(sidecar);
    leader = text_of(one.call(1, "pid"));
    child = text_of(one.call(2, "child"));
    stubborn = text_of(two.call(1, "stubborn"));
    one.end();
    EXPECT_TRUE(eventually([&] { return is_gone(leader) && is_gone(child); }));
    (*sidecar).terminate();
    EXPECT_TRUE(sidecar.join());
    EXPECT_TRUE(is_gone(stubborn));
  }
}

TEST(StdioServer, NoiseOnStandardOutputDoesNotHurt) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  EXPECT_EQ(text_of(session.call(1, "noise")), "after the noise");
}

TEST(StdioServer, RefusesMoreProcessesThanAllowed) {
  auto options = with_fake();
  options.max_links = 1;
  TestSidecar sidecar(options);
  const Session one(sidecar);
  const Session two(sidecar);
  EXPECT_THAT(two.first_reply(), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(field_of(two.first_reply(), "Retry-After"), "5");
  EXPECT_THAT(body_of(two.first_reply()), HasSubstr("all 1 processes"));
  EXPECT_EQ(text_of(one.call(1, "echo", {{"text", "x"}})), "x");
}

TEST(StdioServer, EndsIdleSessionsButNotThoseWithAStream) {
  auto options = with_fake();
  options.idle_timeout = std::chrono::seconds(2);
  TestSidecar sidecar(options);
  const Session streaming(sidecar);
  const auto stream = streaming.stream();
  const Session idle(sidecar);
  const auto pid = text_of(idle.call(1, "pid"));
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_active_sessions 1"); }));
  EXPECT_TRUE(eventually([&] { return is_gone(pid); }));
  EXPECT_THAT(idle.call(2, "pid"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(streaming.call(1, "pid"), StartsWith("HTTP/1.1 200"));
}

TEST(StdioServer, RefusesRequestsOutsideASession) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  EXPECT_THAT(sidecar.exchange(post(tool_call(1, "echo"))),
              HasSubstr("the field Mcp-Session-Id is missing"));
  const auto modern =
      sidecar.exchange(post(tool_call(1, "echo"), "MCP-Protocol-Version: 2026-07-28\r\n"));
  EXPECT_THAT(modern, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(modern, HasSubstr("-32022"));
  EXPECT_THAT(session.call("{\"id\":1,\"method\":\"ping\",\"params\":{\"a\":+-1}}"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(sidecar.exchange("GET /mcp HTTP/1.1\r\nHost: x\r\n" + session.field() + "\r\n"),
              StartsWith("HTTP/1.1 406"));
}

TEST(StdioServer, AServerThatRefusesAClientStartsNoSession) {
  // It passes the start check only with a session that it takes, so it is asked for one here.
  TestSidecar sidecar(with_fake("refuses"));
  const auto ended = sidecar.join();
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("not you"));
}

TEST(StdioServer, ACommandThatCannotServeIsFoundOutAtTheStart) {
  struct Case {
    std::vector<std::string> command;
    std::vector<std::string> says;
  };
  for (const auto& [command, says] : {
           Case{{"python3", FAKE_SERVER, "exits"}, {"exited with status 4", "no configuration"}},
           Case{{"/no/such/program"}, {"/no/such/program", "No such file or directory"}},
           Case{{"/etc/passwd"}, {"Permission denied"}},
           Case{{"true"}, {"exited with status 0", "nothing to standard error"}},
           Case{{"python3", FAKE_SERVER, "babbles"},
                {"did not answer initialize within 1s", "hello, I am no MCP server"}},
       }) {
    auto options = with_command(command);
    options.start_timeout = std::chrono::seconds(1);
    TestSidecar sidecar(options);
    const auto ended = sidecar.join();
    ASSERT_FALSE(ended) << command.back();
    for (const auto& text : says) EXPECT_THAT(ended.error().message, HasSubstr(text));
  }
}

}  // namespace
}  // namespace mcpfleet::proxy
