// Who gets which process of a stdio server, both eras of the protocol, and processes that go wrong.
#include <gmock/gmock.h>
#include <malloc.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "stdio_client.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A request of 2026-07-28.
std::string modern(int id, const std::string& method, const std::string& tool = "",
                   json arguments = json::object(), const std::string& fields = "") {
  json params{{"_meta",
               {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                {"io.modelcontextprotocol/clientCapabilities", json::object()}}}};
  if (!tool.empty()) {
    params["name"] = tool;
    params["arguments"] = std::move(arguments);
  }
  std::string head = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " + method + "\r\n";
  if (!tool.empty()) head += "Mcp-Name: " + tool + "\r\n";
  return post(json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump(),
              head + fields);
}

std::string modern_call(int id, const std::string& tool, json arguments = json::object()) {
  return modern(id, "tools/call", tool, std::move(arguments));
}

void wait_ready(const TestSidecar& sidecar) {
  ASSERT_TRUE(eventually([&] { return sidecar.metrics("/ready").starts_with("HTTP/1.1 200"); }));
}

SidecarOptions with_mode(const std::string& fake, BridgeMode mode) {
  auto options = with_fake(fake);
  options.bridge_mode = mode;
  return options;
}

// --- both eras

TEST(StdioEras, RequestsThatStandAloneShareAProcess) {
  TestSidecar sidecar(with_fake("dual"));
  wait_ready(sidecar);
  const auto discovered = sidecar.exchange(modern(7, "server/discover"));
  EXPECT_THAT(discovered, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(body_of(discovered), HasSubstr(R"("id": 7)"));
  EXPECT_EQ(field_of(discovered, "Mcp-Session-Id"), "");
  const auto pid = text_of(sidecar.exchange(modern_call(1, "pid")));
  EXPECT_EQ(text_of(sidecar.exchange(modern_call(1, "pid"))), pid);
  // A session of an older client has its own.
  const Session session(sidecar);
  EXPECT_NE(text_of(session.call(1, "pid")), pid);
  EXPECT_TRUE(sidecar.has_metric("mcp_active_sessions 1"));
}

TEST(StdioEras, RequestsWithTheSameIdDoNotMeet) {
  TestSidecar sidecar(with_fake("modern"));
  wait_ready(sidecar);
  const auto slow = sidecar.connect();
  slow->send(modern_call(1, "slow"));
  EXPECT_EQ(text_of(sidecar.exchange(modern_call(1, "echo", {{"text", "mine"}}))), "mine");
  EXPECT_EQ(text_of(slow->read_message()), "slow");
}

TEST(StdioEras, AClientThatLeavesHasCancelled) {
  TestSidecar sidecar(with_fake("modern"));
  wait_ready(sidecar);
  auto wire = sidecar.connect();
  wire->send(modern_call(1, "hang"));
  ASSERT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  wire.reset();
  const auto cancelled = [&] {
    return json::parse(text_of(sidecar.exchange(modern_call(2, "cancelled")))).size();
  };
  EXPECT_TRUE(eventually([&] { return cancelled() == 1; }));
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 0"); }));
}

TEST(StdioEras, ASubscriptionIsAStreamAndNoRequestThatTakesTime) {
  auto options = with_fake("modern");
  TestSidecar sidecar(options);
  wait_ready(sidecar);
  const auto one = sidecar.connect(), two = sidecar.connect();
  one->send(modern(1, "subscriptions/listen"));
  two->send(modern(2, "subscriptions/listen"));
  EXPECT_THAT(one->read_until("\n\n"), HasSubstr("subscriptions/acknowledged"));
  EXPECT_THAT(one->read_until("\n\n"), HasSubstr(R"("io.modelcontextprotocol/subscriptionId": 1)"));
  EXPECT_THAT(two->read_until("\n\n"), HasSubstr("acknowledged"));
  EXPECT_THAT(two->read_until("\n\n"), HasSubstr(R"("io.modelcontextprotocol/subscriptionId": 2)"));
  EXPECT_TRUE(sidecar.has_metric("mcp_requests_in_flight 0"));
  EXPECT_THAT(sidecar.metrics(), Not(HasSubstr("subscriptions/listen")));
  // It ends with a result when the pod does, and the drain does not wait for it.
  (*sidecar).terminate();
  EXPECT_THAT(one->read_until("0\r\n\r\n"), HasSubstr(R"("resultType":"complete")"));
  EXPECT_TRUE(sidecar.join());
}

TEST(StdioEras, WhatCannotBeSpokenIsSaid) {
  TestSidecar modern_only(with_fake("modern"));
  wait_ready(modern_only);
  const auto old = modern_only.exchange(post(kInitialize));
  EXPECT_THAT(old, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(body_of(old), HasSubstr("2026-07-28"));
  EXPECT_THAT(modern_only.exchange("DELETE /mcp HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(modern_only.exchange(modern(1, "initialize")), StartsWith("HTTP/1.1 404"));
  const auto mismatch = modern_only.exchange(
      post(R"({"id":1,"method":"tools/list"})", "MCP-Protocol-Version: 2026-07-28\r\n"));
  EXPECT_THAT(mismatch, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(mismatch, HasSubstr("-32602"));

  TestSidecar old_only(with_fake());
  wait_ready(old_only);
  const auto refused = old_only.exchange(modern(1, "server/discover"));
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(refused, HasSubstr("-32022"));
  EXPECT_THAT(refused, HasSubstr("2025-11-25"));
}

TEST(StdioEras, AServerThatEndsAtAnUnknownRequestIsAskedAgainAsAnOldOne) {
  TestSidecar sidecar(with_fake("strict"));
  const Session session(sidecar);
  EXPECT_EQ(text_of(session.call(1, "echo", {{"text", "x"}})), "x");
}

// --- modes

TEST(StdioShared, AllSessionsUseOneProcess) {
  auto options = with_mode("good", BridgeMode::Shared);
  options.max_links = 1;
  TestSidecar sidecar(options);
  const Session one(sidecar), two(sidecar);
  EXPECT_NE(one.field(), two.field());
  EXPECT_THAT(body_of(one.first_reply()), HasSubstr(R"("id": 0)"));
  EXPECT_THAT(one.call(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"),
              StartsWith("HTTP/1.1 202"));
  const auto pid = text_of(one.call(1, "pid"));
  EXPECT_EQ(text_of(two.call(1, "pid")), pid);
  EXPECT_TRUE(sidecar.has_metric("mcp_active_sessions 2"));
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_stdio_processes 1"); }));
  // What the server says to all goes to the streams of all.
  const auto first = one.stream(), second = two.stream();
  EXPECT_EQ(text_of(one.call(2, "announce")), "soon");
  EXPECT_THAT(first->read_until("\n\n"), HasSubstr("list_changed"));
  EXPECT_THAT(second->read_until("\n\n"), HasSubstr("list_changed"));
  // Nobody can be asked on behalf of another.
  EXPECT_EQ(text_of(one.call(3, "ask")), "-32601");
  one.end();
  EXPECT_THAT(one.call(4, "pid"), StartsWith("HTTP/1.1 404"));
  EXPECT_EQ(text_of(two.call(2, "pid")), pid);
}

TEST(StdioShared, SessionsOutliveTheProcess) {
  TestSidecar sidecar(with_mode("good", BridgeMode::Shared));
  const Session session(sidecar);
  const auto pid = text_of(session.call(1, "pid"));
  EXPECT_THAT(body_of(session.call(2, "crash")), HasSubstr("exited with status 3"));
  const auto again = text_of(session.call(3, "pid"));
  EXPECT_THAT(again, Not(HasSubstr("no result")));
  EXPECT_NE(again, pid);
}

TEST(StdioPooled, ASessionBeginsWithAProcessThatWaited) {
  auto options = with_mode("good", BridgeMode::Pooled);
  options.pool_size = 2;
  options.max_links = 3;
  TestSidecar sidecar(options);
  wait_ready(sidecar);
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_stdio_processes 2"); }));
  const Session one(sidecar);
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_stdio_processes 3"); }));
  // Those that wait are for sessions, and do not take their place.
  const Session two(sidecar), three(sidecar);
  std::set<std::string> pids;
  for (const auto* session : {&one, &two, &three}) pids.insert(text_of(session->call(1, "pid")));
  EXPECT_EQ(pids.size(), 3u);
  EXPECT_THAT(sidecar.exchange(post(kInitialize)), StartsWith("HTTP/1.1 503"));
}

// --- processes that go wrong

TEST(StdioFaults, AHungProcessIsReplaced) {
  auto options = with_fake("modern");
  options.hang_timeout = std::chrono::seconds(1);
  TestSidecar sidecar(options);
  wait_ready(sidecar);
  const auto pid = text_of(sidecar.exchange(modern_call(1, "pid")));
  const auto reply = sidecar.exchange(modern_call(2, "stop"));
  EXPECT_THAT(body_of(reply), HasSubstr("did not answer for too long"));
  EXPECT_TRUE(eventually([&] { return is_gone(pid); }));
  EXPECT_THAT(text_of(sidecar.exchange(modern_call(3, "pid"))), Not(HasSubstr("no result")));
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_stdio_replaced_total{reason="hung"} 1)"));
}

TEST(StdioFaults, ALongRequestIsNoHang) {
  auto options = with_fake();
  options.hang_timeout = std::chrono::milliseconds(500);
  TestSidecar sidecar(options);
  const Session session(sidecar);
  auto wire = sidecar.connect();
  wire->send(post(tool_call(1, "hang"), session.field()));
  ASSERT_TRUE(eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  // Two more that are late enough for some pings in between.
  for (int id = 2; id < 6; ++id) EXPECT_EQ(text_of(session.call(id, "slow")), "slow");
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_stdio_replaced_total{reason="hung"} 0)"));
}

TEST(StdioFaults, AProcessThatTakesTooMuchMemoryIsReplaced) {
  auto options = with_fake("modern");
  options.max_process_memory = 128 * 1024 * 1024;
  TestSidecar sidecar(options);
  wait_ready(sidecar);
  const auto pid = text_of(sidecar.exchange(modern_call(1, "eat", {{"bytes", 200 * 1024 * 1024}})));
  EXPECT_TRUE(eventually([&] { return is_gone(pid); }));
  EXPECT_NE(text_of(sidecar.exchange(modern_call(2, "pid"))), pid);
  EXPECT_TRUE(sidecar.has_metric(R"(mcp_stdio_replaced_total{reason="memory"} 1)"));
}

// --- many

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

// A few at once that end, that are left in the middle of a call and never ended, and until nothing
// of them is counted any more.
void open_and_leave_sessions(TestSidecar& sidecar, int count) {
  constexpr int kAtOnce = 10;
  for (int round = 0; round < count / kAtOnce; ++round) {
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < kAtOnce; ++i) sessions.push_back(std::make_unique<Session>(sidecar));
    for (int i = 0; i < kAtOnce; ++i) {
      if (i % 5 == 0) {
        const auto wire = sidecar.connect();
        wire->send(post(R"({"jsonrpc":"2.0","id":1,"method":"hang"})", sessions[i]->field()));
      } else {
        EXPECT_THAT(sessions[i]->call(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"),
                    StartsWith("HTTP/1.1 200"));
        EXPECT_THAT(sessions[i]->end(), StartsWith("HTTP/1.1 204"));
      }
    }
  }
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_active_sessions 0"); }));
  EXPECT_TRUE(eventually([&] { return sidecar.has_metric("mcp_stdio_processes 0"); }));
  EXPECT_TRUE(sidecar.has_metric("mcp_requests_in_flight 0"));
}

TEST(StdioFaults, ManySessionsLeaveNothingBehind) {
  const char* const asked = std::getenv("MCPFLEET_SESSIONS");
  const int count = asked != nullptr ? std::stoi(asked) : 200;
  auto options = with_command({"/bin/sh", QUICK_SERVER});
  options.max_links = 1000;
  options.idle_timeout = std::chrono::seconds(1);
  TestSidecar sidecar(options);
  wait_ready(sidecar);
  // What is made for as many as are there at once is made now, and kept.
  open_and_leave_sessions(sidecar, count / 2);
  const auto files = open_files();
  const auto bytes = ::mallinfo2().uordblks;
  open_and_leave_sessions(sidecar, count);
  EXPECT_TRUE(eventually([&] { return open_files() <= files; })) << open_files() << " " << files;
  // 1 KiB of each session would be seen, and at 10,000 sessions 13 bytes.
  EXPECT_LE(::mallinfo2().uordblks, bytes + 128 * 1024) << bytes;
}

}  // namespace
}  // namespace mcpfleet::proxy
