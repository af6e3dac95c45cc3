// Clients whose streams broke off, and who come back with Last-Event-ID.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stdio_client.h"

namespace mcpfleet::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kNew = "MCP-Protocol-Version: 2025-11-25\r\n";

// A call that has reported its first step, and the id of that event.
struct Begun {
  std::unique_ptr<Wire> wire;
  std::string head;
  std::string id;
};

std::string id_in(const std::string& event) {
  const auto at = event.rfind("id: ") + 4;
  return event.substr(at, event.find('\n', at) - at);
}

Begun begin_steps(const TestSidecar& sidecar, const Session& session, const std::string& token,
                  std::string_view fields = "") {
  Begun begun{sidecar.connect(), {}, {}};
  static int id = 100;
  begun.wire->send(
      post(tool_call(++id, "steps", json::object(), token), session.field() + std::string(fields)));
  begun.head = begun.wire->read_until("\"progress\": 1");
  EXPECT_THAT(begun.head, HasSubstr("\"progress\": 1"));
  begun.id = id_in(begun.head);
  return begun;
}

std::unique_ptr<Wire> go_on(const TestSidecar& sidecar, const Session& session,
                            const std::string& id) {
  auto wire = sidecar.connect();
  wire->send("GET /mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nLast-Event-ID: " + id +
             "\r\n" + session.field() + "\r\n");
  return wire;
}

TEST(Resumption, AnAnswerIsFetchedAfterTheBreak) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  auto call = begin_steps(sidecar, session, "one");
  auto other = begin_steps(sidecar, session, "two");
  EXPECT_NE(call.id, other.id);
  call.wire.reset();
  EXPECT_EQ(text_of(session.call(2, "go")), "gone");
  // Twice: that one, too, may break off before it has got anything.
  for (int i = 0; i < 2; ++i) {
    const auto rest = go_on(sidecar, session, call.id)->read_until("0\r\n\r\n");
    EXPECT_EQ(field_of(rest, "Content-Type"), "text/event-stream");
    EXPECT_THAT(rest, HasSubstr("\"progress\": 2"));
    EXPECT_THAT(rest, HasSubstr("done"));
    EXPECT_THAT(rest, Not(HasSubstr("\"progress\": 1"))) << "what it has seen";
    EXPECT_THAT(rest, Not(HasSubstr("\"two\""))) << "what belongs to another stream";
  }
  EXPECT_THAT(other.wire->read_until("0\r\n\r\n"), HasSubstr("done"));
}

TEST(Resumption, WhatIsStillToComeComes) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  const auto call = begin_steps(sidecar, session, "one");  // and its connection seems to be open
  const auto back = go_on(sidecar, session, call.id);
  EXPECT_THAT(back->read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(call.wire->closed());
  EXPECT_EQ(text_of(session.call(2, "go")), "gone");
  EXPECT_THAT(back->read_until("0\r\n\r\n"), HasSubstr("done"));
}

TEST(Resumption, AStreamSaysWhereItBeginsToThoseWhoUnderstandIt) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  auto old = begin_steps(sidecar, session, "old");
  EXPECT_THAT(old.head, Not(HasSubstr("data: \n\n")));
  auto call = begin_steps(sidecar, session, "new", kNew);
  const auto prime = call.head.substr(0, call.head.find("data: \n\n"));
  EXPECT_LT(prime.size(), call.head.find("progress"));
  EXPECT_EQ(text_of(session.call(2, "go")), "gone");
  const auto all = go_on(sidecar, session, id_in(prime))->read_until("0\r\n\r\n");
  for (const char* part : {"\"progress\": 1", "\"progress\": 2", "done"})
    EXPECT_THAT(all, HasSubstr(part));
}

TEST(Resumption, TheSessionsOwnStreamGoesOn) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  auto stream = session.stream();
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(text_of(session.call(i, "announce")), "soon");
    ids.push_back(id_in(stream->read_until("list_changed")));
  }
  stream.reset();
  EXPECT_EQ(text_of(session.call(3, "announce")), "soon");
  stream = go_on(sidecar, session, ids[0]);
  for (int i = 0; i < 2; ++i) {
    const auto event = stream->read_until("list_changed");
    if (i == 0) {
      EXPECT_EQ(id_in(event), ids[1]) << "again";
    }
  }
  EXPECT_EQ(text_of(session.call(4, "announce")), "soon");
  EXPECT_THAT(stream->read_until("list_changed"), HasSubstr("list_changed"));
}

TEST(Resumption, AnIdThatIsNotOfTheSessionIsRefused) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar), other(sidecar);
  const auto call = begin_steps(sidecar, session, "one");
  for (const std::string& id : {std::string("99-1"), std::string("x"), std::string("1-99")}) {
    const auto reply = go_on(sidecar, session, id)->read_message();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 400")) << id;
    EXPECT_THAT(reply, HasSubstr("Last-Event-ID"));
  }
  EXPECT_THAT(go_on(sidecar, other, call.id)->read_message(), StartsWith("HTTP/1.1 400"));
  session.end();
  EXPECT_THAT(go_on(sidecar, session, call.id)->read_message(), StartsWith("HTTP/1.1 404"));
}

TEST(Resumption, OnlyTheLastStreamsAreKept) {
  TestSidecar sidecar(with_fake());
  const Session session(sidecar);
  std::vector<Begun> calls;
  for (int i = 0; i < 9; ++i)
    calls.push_back(begin_steps(sidecar, session, "t" + std::to_string(i)));
  EXPECT_THAT(go_on(sidecar, session, calls[0].id)->read_message(), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(text_of(session.call(2, "go")), "gone");
  EXPECT_THAT(go_on(sidecar, session, calls[1].id)->read_until("0\r\n\r\n"), HasSubstr("done"));
  EXPECT_THAT(calls[0].wire->read_until("0\r\n\r\n"), HasSubstr("done")) << "it is there still";
}

}  // namespace
}  // namespace mcpfleet::proxy
