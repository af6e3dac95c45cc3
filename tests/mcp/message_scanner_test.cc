#include "mcp/message_scanner.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mcpfleet::mcp {
namespace {

using Kind = Message::Kind;

struct Case {
  const char* name;
  std::string text;
  Kind kind;
  std::string method, id, tool;
  bool failed = false;
};

const Case kMessages[] = {
    {"request", R"({"jsonrpc":"2.0","id":7,"method":"tools/list"})", Kind::Request, "tools/list",
     "7", ""},
    {"tool",
     R"({"id":"a","method":"tools/call","params":{"arguments":{"name":"no"},"name":"add"}})",
     Kind::Request, "tools/call", "\"a\"", "add"},
    {"spaces", " {\n \"id\" : -1 ,\t\"method\" : \"ping\" }\n ", Kind::Request, "ping", "-1", ""},
    {"notification", R"({"method":"notifications/initialized"})", Kind::Notification,
     "notifications/initialized", "", ""},
    {"null id", R"({"method":"ping","id":null})", Kind::Notification, "ping", "", ""},
    {"escaped key and value", R"({"\u0069d":1,"method":"tools\/call","params":{"name":"\u00e9"}})",
     Kind::Request, "tools/call", "1", "é"},
    {"escaped id", R"({"id":"a\u0062","method":"ping"})", Kind::Request, "ping", "\"ab\"", ""},
    {"result", R"({"id":1,"result":{"content":[{"isError":true}]}})", Kind::Response, "", "1", ""},
    {"isError", R"({"id":1,"result":{"isError":true,"content":[]}})", Kind::Response, "", "1", "",
     true},
    {"isError false", R"({"id":1,"result":{"isError":false}})", Kind::Response, "", "1", ""},
    {"error", R"({"error":{"code":-32601,"message":"x"},"id":1})", Kind::Response, "", "1", "",
     true},
    {"null error", R"({"error":null,"result":{},"id":1})", Kind::Response, "", "1", ""},
    {"method inside params", R"({"id":1,"params":{"method":"x","id":2},"method":"ping"})",
     Kind::Request, "ping", "1", ""},
    {"quotes in a string", R"({"params":{"name":"say \"hi\", }{"},"id":1,"method":"tools/call"})",
     Kind::Request, "tools/call", "1", "say \"hi\", }{"},
};

// Every way to cut the text in two must tell the same.
TEST(MessageScanner, ReadsWhatAProxyNeedsHoweverTheBytesArrive) {
  for (const auto& want : kMessages) {
    ASSERT_TRUE(nlohmann::json::accept(want.text)) << want.name;
    for (std::size_t cut = 0; cut <= want.text.size(); ++cut) {
      MessageScanner scanner;
      ASSERT_TRUE(scanner.feed(want.text.substr(0, cut))) << want.name << " " << scanner.problem();
      ASSERT_TRUE(scanner.feed(want.text.substr(cut))) << want.name << " " << scanner.problem();
      ASSERT_TRUE(scanner.finish()) << want.name << " " << scanner.problem();
      ASSERT_EQ(scanner.messages().size(), 1u) << want.name;
      const auto& message = scanner.messages().front();
      EXPECT_EQ(message.kind(), want.kind) << want.name;
      EXPECT_EQ(message.method, want.method) << want.name;
      EXPECT_EQ(message.id, want.id) << want.name;
      EXPECT_EQ(message.name, want.tool) << want.name;
      EXPECT_EQ(message.has_error || message.is_error, want.failed) << want.name;
    }
  }
}

TEST(MessageScanner, KnowsWhereEachMessageOfABatchIs) {
  const std::string text =
      R"( [ {"id":1,"method":"ping"} , {"method":"n","params":[{}]},{"id":2}])";
  MessageScanner scanner;
  ASSERT_TRUE(scanner.feed(text) && scanner.finish()) << scanner.problem();
  EXPECT_TRUE(scanner.batch());
  ASSERT_EQ(scanner.messages().size(), 3u);
  const auto part = [&](std::size_t i) {
    const auto& message = scanner.messages()[i];
    return text.substr(message.begin, message.end - message.begin);
  };
  EXPECT_EQ(part(0), R"({"id":1,"method":"ping"})");
  EXPECT_EQ(part(1), R"({"method":"n","params":[{}]})");
  EXPECT_EQ(part(2), R"({"id":2})");
  EXPECT_EQ(scanner.messages()[2].kind(), Kind::Unknown);
}

TEST(MessageScanner, FindsProgressTokensAndCancelledRequests) {
  MessageScanner scanner;
  ASSERT_TRUE(
      scanner.feed(R"({"id":1,"method":"tools/call","params":{"_meta":{"progressToken":"t"}}})"));
  EXPECT_EQ(scanner.messages()[0].progress_token, "\"t\"");
  scanner.reset();
  ASSERT_TRUE(scanner.feed(R"({"method":"notifications/progress","params":{"progressToken":5}})"));
  EXPECT_EQ(scanner.messages()[0].reported_token, "5");
  scanner.reset();
  ASSERT_TRUE(scanner.feed(R"({"method":"notifications/cancelled","params":{"requestId":9}})"));
  EXPECT_EQ(scanner.messages()[0].request_id, "9");
}

TEST(MessageScanner, RefusesWhatIsNotJson) {
  const std::string deep = R"({"a":)" + std::string(MessageScanner::kMaxDepth, '[');
  std::string many = "[{}";
  for (std::size_t i = 0; i < MessageScanner::kMaxMessages; ++i) many += ",{}";
  for (const std::string& text :
       {std::string("garbage"), std::string("7"), std::string("\"x\""), std::string("{} {}"),
        std::string("{]"), std::string("[1]"), std::string("{\"a\" 1}"), std::string("{\"a\":}"),
        std::string("{\"a\":1,}x"), std::string("{a:1}"), std::string("{\"a\":nil}"),
        std::string("{\"a\":\"\\x\"}"), std::string("{\"a\":1 \"b\":2}"), deep, many,
        "{\"id\":\"" + std::string(1000, 'x') + "\"}", "{\"n\":" + std::string(1000, '1') + "}"}) {
    MessageScanner scanner;
    EXPECT_FALSE(scanner.feed(text) && scanner.finish()) << text.substr(0, 40);
    EXPECT_FALSE(scanner.problem().empty()) << text.substr(0, 40);
  }
  for (const char* text : {"", "{", "{\"a\":\"", "[{}", "{\"a\":tru"}) {
    MessageScanner scanner;
    scanner.feed(text);
    EXPECT_FALSE(scanner.finish()) << text;
  }
}

TEST(MessageScanner, KeepsBoundedText) {
  MessageScanner scanner;
  ASSERT_TRUE(scanner.feed("{\"method\":\"" + std::string(100'000, 'm') + "\"}"));
  EXPECT_EQ(scanner.messages()[0].method.size(), MessageScanner::kMaxText);
}

}  // namespace
}  // namespace mcpfleet::mcp
