#include "mcp/multiplexer.h"

#include <gtest/gtest.h>

#include "mcp/text_edit.h"

namespace mcpfleet::mcp {
namespace {

Message scan(std::string_view text) {
  MessageScanner scanner;
  EXPECT_TRUE(scanner.feed(text) && scanner.finish()) << text << ": " << scanner.problem();
  return scanner.messages().empty() ? Message() : scanner.messages().front();
}

Multiplexer::Outgoing begin(Multiplexer& calls, Multiplexer::Client client, std::string_view text) {
  return calls.begin(client, scan(text), text);
}

Multiplexer::Incoming incoming(const Multiplexer& calls, std::string_view text) {
  return calls.incoming(scan(text), text);
}

TEST(TextEdit, PutsValuesInTheirPlaces) {
  EXPECT_EQ(edited("abcdef", 0, {{{4, 5}, "E"}, {{1, 2}, "long"}, {{}, "no"}}), "alongcdEf");
  EXPECT_EQ(edited("cdef", 2, {{{2, 4}, ""}}), "ef");
  EXPECT_EQ(edited("ab", 0, {}), "ab");
}

// Two clients use the same id and token, and each gets its own answer and progress.
TEST(Multiplexer, GivesEachRequestANumberAndTakesItBack) {
  Multiplexer calls;
  const auto one =
      begin(calls, 1, R"({"id": "a", "method":"x","params":{"_meta":{"progressToken":"a"}}})");
  const auto two =
      begin(calls, 2, R"({"params":{"_meta":{"progressToken":"a"},"id":3},"id":"a","method":"x"})");
  EXPECT_EQ(one.text, R"({"id": 1, "method":"x","params":{"_meta":{"progressToken":1}}})");
  EXPECT_EQ(two.text, R"({"params":{"_meta":{"progressToken":2},"id":3},"id":2,"method":"x"})");
  EXPECT_EQ(calls.in_flight(), 2u);

  const auto progress = incoming(
      calls, R"({"method":"notifications/progress","params":{"progressToken":2,"progress":1}})");
  EXPECT_EQ(progress.call, two.call);
  EXPECT_EQ(progress.text,
            R"({"method":"notifications/progress","params":{"progressToken":"a","progress":1}})");
  const auto answer = incoming(calls, R"({"jsonrpc":"2.0","id":1,"result":{"id":2}})");
  EXPECT_EQ(answer.call, one.call);
  EXPECT_EQ(answer.text, R"({"jsonrpc":"2.0","id":"a","result":{"id":2}})");
  calls.end(one.call);
  EXPECT_EQ(incoming(calls, R"({"id":1,"result":{}})").call, 0u);
}

TEST(Multiplexer, RoutesWhatBelongsToASubscription) {
  Multiplexer calls;
  const auto listen = begin(calls, 1, R"({"id":1e1,"method":"subscriptions/listen"})");
  constexpr auto kId = "io.modelcontextprotocol/subscriptionId";
  const auto with = [&](std::string_view id) {
    return R"({"method":"notifications/x","params":{"_meta":{")" + std::string(kId) +
           "\":" + std::string(id) + "}}}";
  };
  const auto event = incoming(calls, with("1"));
  EXPECT_EQ(event.call, listen.call);
  EXPECT_EQ(event.text, with("1e1"));
  const auto end =
      incoming(calls, R"({"id":1,"result":{"_meta":{")" + std::string(kId) + R"(":1}}})");
  EXPECT_EQ(end.text, R"({"id":1e1,"result":{"_meta":{")" + std::string(kId) + R"(":1e1}}})");
  const auto ended =
      incoming(calls, R"({"method":"notifications/cancelled","params":{"requestId":1}})");
  EXPECT_EQ(ended.call, listen.call);
  EXPECT_EQ(incoming(calls, with("\"1\"")).call, 0u);
  EXPECT_EQ(incoming(calls, with("7")).call, 0u);
}

TEST(Multiplexer, AClientCancelsItsOwnRequestsOnly) {
  Multiplexer calls;
  const auto one = begin(calls, 1, R"({"id":5,"method":"x"})");
  constexpr std::string_view kText =
      R"({"method":"notifications/cancelled","params":{"requestId":5,"reason":"r"}})";
  EXPECT_EQ(calls.find(1, "5"), one.call);
  EXPECT_EQ(calls.find(2, "5"), 0u);
  EXPECT_EQ(calls.cancelled(1, scan(kText), kText),
            R"({"method":"notifications/cancelled","params":{"requestId":1,"reason":"r"}})");
  EXPECT_EQ(calls.cancelled(2, scan(kText), kText), std::nullopt);
  EXPECT_EQ(scan(Multiplexer::cancel(one.call)).request_id, "1");
  constexpr std::string_view kNone = R"({"method":"notifications/cancelled","params":{}})";
  EXPECT_EQ(calls.cancelled(1, scan(kNone), kNone), std::nullopt);
}

TEST(Multiplexer, LeavesWhatSaysNothingOfARequest) {
  Multiplexer calls;
  begin(calls, 1, R"({"id":5,"method":"x"})");
  for (const std::string text :
       {R"({"method":"notifications/tools/list_changed"})",
        R"({"id":1,"method":"sampling/createMessage"})",
        // A token that the client did not give is nobody's.
        R"({"method":"notifications/progress","params":{"progressToken":1}})"}) {
    const auto routed = incoming(calls, text);
    EXPECT_EQ(routed.call, 0u) << text;
    EXPECT_EQ(routed.text, text);
  }
}

// One client's request must not pass for another's by what a parser makes of two members.
TEST(MessageScanner, RefusesWhatCouldBeReadInTwoWays) {
  for (const std::string text :
       {R"({"id":1,"id":2,"method":"x"})", R"({"id":1,"ID":2,"method":"x"})",
        R"({"id":1,"i\u0064":2,"method":"x"})", R"({"id":1,"method":"x","params":{},"params":{}})",
        R"({"id":1,"method":"x","params":{"_meta":{},"_meta":{}}})",
        R"({"id":1,"method":"x","params":{"_meta":{"progressToken":1,"progressToken":2}}})",
        R"({"method":"x","params":{"requestId":1,"requestId":2}})", R"({"id":[1],"method":"x"})",
        R"({"id":{},"method":"x"})", R"({"id":true,"method":"x"})"}) {
    MessageScanner scanner;
    EXPECT_FALSE(scanner.feed(text) && scanner.finish()) << text;
  }
  // Of what a tool gets nothing is looked at.
  scan(R"({"id":1,"method":"x","params":{"arguments":{"id":1,"ID":2,"requestId":1,"requestid":2},)"
       R"("_meta":{"progressToken":1},"progressToken":2}})");
  MessageScanner batch;
  const std::string two = R"([{"id":1,"method":"x"},{"id":1,"method":"x"}])";
  EXPECT_TRUE(batch.feed(two) && batch.finish()) << batch.problem();
}

}  // namespace
}  // namespace mcpfleet::mcp
