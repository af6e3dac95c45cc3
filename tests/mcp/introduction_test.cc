#include "mcp/introduction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mcp/json_rpc.h"
#include "mcp/sse.h"

namespace mcpfleet::mcp {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Pair;

constexpr const char* kDiscovered = R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete",
  "supportedVersions":["2026-07-28","2025-11-25"],"capabilities":{"tools":{},"prompts":{"listChanged":true}},
  "_meta":{"io.modelcontextprotocol/serverInfo":{"name":"weather","version":"1.4.0"}}}})";
constexpr const char* kInitialized =
    R"({"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18",
  "capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"old","version":"0.9"}}})";
constexpr const char* kUnknown =
    R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}})";

HttpAnswer said(int status, std::string body, std::string session = "") {
  return {status, "application/json", std::move(session), std::move(body)};
}

// The requests in order, by their method or HTTP method, while each is answered by the next answer.
struct Talk {
  std::vector<std::string> asked;
  std::vector<Question> questions;
  Introduction introduction;

  explicit Talk(const std::vector<HttpAnswer>& answers) {
    for (const auto& answer : answers) {
      const auto question = introduction.question();
      if (!question) break;
      note(*question);
      introduction.answered(answer);
    }
    EXPECT_FALSE(introduction.question()) << "the conversation is not over";
  }
  void note(const Question& question) {
    questions.push_back(question);
    asked.push_back(question.body.empty()
                        ? question.method
                        : json::parse(question.body)["method"].get<std::string>());
  }
};

TEST(Introduction, AServerOfTodayIsAskedOnce) {
  const Talk talk({said(200, kDiscovered)});
  EXPECT_THAT(talk.asked, ElementsAre("server/discover"));
  const ServerDescription want{
      "weather", "1.4.0", {"2026-07-28", "2025-11-25"}, {"prompts", "tools"}};
  EXPECT_EQ(talk.introduction.result(), want);
  EXPECT_THAT(talk.questions[0].headers,
              IsSupersetOf({Pair("MCP-Protocol-Version", "2026-07-28"),
                            Pair("Mcp-Method", "server/discover"),
                            Pair("Accept", "application/json, text/event-stream")}));
  const json meta = json::parse(talk.questions[0].body)["params"]["_meta"];
  EXPECT_EQ(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
  EXPECT_TRUE(meta.contains("io.modelcontextprotocol/clientInfo"));
  EXPECT_TRUE(meta["io.modelcontextprotocol/clientCapabilities"].is_object());
}

TEST(Introduction, AnOlderServerIsGreetedAndItsSessionEnded) {
  const struct {
    const char* name;
    HttpAnswer refusal;
  } cases[] = {
      {"unknown method", said(200, kUnknown)},
      {"no session", said(400, R"({"error":{"code":-32000,"message":"Missing session ID"}})")},
      {"not JSON", said(404, "<html>")},
      {"a sidecar before a stdio server", said(400, unsupported_version_text("1", "2026-07-28"))},
  };
  for (const auto& test : cases) {
    const Talk talk({test.refusal, said(200, kInitialized, "s-1"), said(202, ""), said(405, "")});
    EXPECT_THAT(talk.asked,
                ElementsAre("server/discover", "initialize", "notifications/initialized", "DELETE"))
        << test.name;
    const ServerDescription want{"old", "0.9", {"2025-06-18"}, {"logging", "tools"}};
    EXPECT_EQ(talk.introduction.result(), want) << test.name;
    EXPECT_EQ(json::parse(talk.questions[1].body)["params"]["protocolVersion"], "2025-11-25");
    for (const std::size_t i : {2, 3}) {
      EXPECT_THAT(talk.questions[i].headers,
                  IsSupersetOf(
                      {Pair("Mcp-Session-Id", "s-1"), Pair("MCP-Protocol-Version", "2025-06-18")}));
    }
  }
}

TEST(Introduction, WithoutASessionThereIsNothingToEnd) {
  const Talk talk({said(200, kUnknown), said(200, kInitialized), said(202, "")});
  EXPECT_THAT(talk.asked,
              ElementsAre("server/discover", "initialize", "notifications/initialized"));
  EXPECT_TRUE(talk.introduction.result());
}

TEST(Introduction, AStreamHoldsTheAnswerAmongNotifications) {
  const HttpAnswer stream{200, "text/event-stream; charset=utf-8", "",
                          ": hello\n\n" +
                              sse_event(R"({"jsonrpc":"2.0","method":"notifications/message"})") +
                              sse_event(json::parse(kDiscovered).dump())};
  const Talk talk({stream});
  EXPECT_EQ(talk.introduction.result()->name, "weather");
}

TEST(Introduction, ALaterVersionIsTriedOnce) {
  const auto refusal = [](const char* supported) {
    return said(
        400, R"({"error":{"code":-32022,"data":{"supported":[)" + std::string(supported) + "]}}}");
  };
  const Talk talk({refusal(R"("2027-01-15")"), said(200, kDiscovered)});
  EXPECT_THAT(talk.asked, ElementsAre("server/discover", "server/discover"));
  EXPECT_THAT(talk.questions[1].headers, Contains(Pair("MCP-Protocol-Version", "2027-01-15")));
  const Talk stubborn({refusal(R"("2027-01-15")"), refusal(R"("2027-06-01")"), said(404, "")});
  EXPECT_THAT(stubborn.asked, ElementsAre("server/discover", "server/discover", "initialize"));
  EXPECT_EQ(stubborn.introduction.result().error().kind, ErrorKind::Malformed);
}

TEST(Introduction, WhatCannotBeLearnedIsAnError) {
  const struct {
    const char* name;
    std::vector<HttpAnswer> answers;
    ErrorKind want;
    const char* want_message;
  } cases[] = {
      {"wants a token", {said(401, "")}, ErrorKind::Unauthorized, "HTTP status 401"},
      {"forbids", {said(403, "")}, ErrorKind::Forbidden, "403"},
      {"is starting", {said(503, "")}, ErrorKind::Unavailable, "503"},
      {"is full", {said(200, kUnknown), said(503, "")}, ErrorKind::Unavailable, "503"},
      {"refuses both",
       {said(200, kUnknown), said(200, kUnknown)},
       ErrorKind::Malformed,
       "Method not found"},
      {"is no MCP server", {said(404, "no"), said(404, "no")}, ErrorKind::Malformed, "404"},
      {"talks nonsense",
       {said(200, "[1]"), said(200, R"({"result":7})")},
       ErrorKind::Malformed,
       "HTTP status 200"},
  };
  for (const auto& test : cases) {
    const Talk talk(test.answers);
    ASSERT_FALSE(talk.introduction.result()) << test.name;
    EXPECT_EQ(talk.introduction.result().error().kind, test.want) << test.name;
    EXPECT_THAT(talk.introduction.result().error().message, HasSubstr(test.want_message))
        << test.name;
  }
}

TEST(Introduction, NoAnswerIsAnErrorUnlessAllIsKnownAlready) {
  Introduction silent;
  silent.failed({ErrorKind::Timeout, "no answer in 5 s"});
  EXPECT_FALSE(silent.question());
  EXPECT_EQ(silent.result().error().kind, ErrorKind::Timeout);

  Introduction known;
  known.answered(said(200, kUnknown));
  known.answered(said(200, kInitialized, "s-1"));
  known.failed({ErrorKind::Timeout, "no answer in 5 s"});  // to the notification
  ASSERT_TRUE(known.question());
  EXPECT_EQ(known.question()->method, "DELETE");
  known.failed({ErrorKind::Timeout, "no answer in 5 s"});
  EXPECT_FALSE(known.question());
  EXPECT_EQ(known.result()->name, "old");
}

TEST(Introduction, WhatAServerSaysIsBounded) {
  json answer = json::parse(kDiscovered);
  std::string name;
  for (int i = 0; i < 1000; ++i) name += "é";
  answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] = name;
  for (int i = 0; i < 1000; ++i) {
    answer["result"]["supportedVersions"].push_back("v" + std::to_string(i));
    answer["result"]["capabilities"]["c" + std::to_string(i)] = json::object();
  }
  const Talk talk({said(200, answer.dump())});
  const auto& got = talk.introduction.result();
  ASSERT_TRUE(got);
  EXPECT_LE(got->name.size(), 128U);
  EXPECT_NO_THROW((void)json(got->name).dump()) << "cut between characters";
  EXPECT_LE(got->protocol_versions.size(), 32U);
  EXPECT_LE(got->capabilities.size(), 32U);
}

}  // namespace
}  // namespace mcpfleet::mcp
