#include "mcp/modern_request.h"

#include <gtest/gtest.h>

#include "mcp/origin.h"

namespace mcpfleet::mcp {
namespace {

Message scan(const std::string& text) {
  MessageScanner scanner;
  EXPECT_TRUE(scanner.feed(text) && scanner.finish()) << text << ": " << scanner.problem();
  return scanner.messages().front();
}

std::string request(const std::string& method, const std::string& more = "",
                    const std::string& version = "2026-07-28") {
  return R"({"id":1,"method":")" + method +
         R"(","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":")" + version +
         R"(","io.modelcontextprotocol/clientCapabilities":{}})" + more + "}}";
}

struct Case {
  const char* name;
  std::string text;
  MirrorFields fields;
  int want = 0;  // the code; 0: it is as it should be
};

TEST(ModernRequest, HeaderFieldsMustSayWhatTheBodySays) {
  constexpr std::string_view kVersion = "2026-07-28";
  const Case cases[] = {
      {"all", request("tools/list"), {kVersion, "tools/list", {}}},
      {"no version field", request("tools/list"), {{}, "tools/list", {}}, -32020},
      {"another version",
       request("tools/list", "", "2027-01-01"),
       {kVersion, "tools/list", {}},
       -32020},
      {"no method field", request("tools/list"), {kVersion, {}, {}}, -32020},
      {"another method", request("tools/list"), {kVersion, "tools/call", {}}, -32020},
      {"case of a method", request("tools/list"), {kVersion, "Tools/List", {}}, -32020},
      {"a tool", request("tools/call", R"(,"name":"add")"), {kVersion, "tools/call", "add"}},
      {"another tool",
       request("tools/call", R"(,"name":"add")"),
       {kVersion, "tools/call", "del"},
       -32020},
      {"no name field",
       request("tools/call", R"(,"name":"add")"),
       {kVersion, "tools/call", {}},
       -32020},
      {"a resource",
       request("resources/read", R"(,"uri":"a://b")"),
       {kVersion, "resources/read", "a://b"}},
      {"a prompt",
       request("prompts/get", R"(,"name":"p")"),
       {kVersion, "prompts/get", "q"},
       -32020},
      {"base64",
       request("tools/call", R"(,"name":"Hello, 世界")"),
       {kVersion, "tools/call", "=?base64?SGVsbG8sIOS4lueVjA==?="}},
      {"base64 of what needs it not",
       request("tools/call", R"(,"name":"add")"),
       {kVersion, "tools/call", "=?base64?YWRk?="}},
      {"base64 of something else",
       request("tools/call", R"(,"name":"add")"),
       {kVersion, "tools/call", "=?base64?ZGVs?="},
       -32020},
      {"not encoded",
       request("tools/call", R"(,"name":"=?base64?YWRk?=")"),
       {kVersion, "tools/call", "=?base64?YWRk?="},
       -32020},
      {"no _meta", R"({"id":1,"method":"tools/list"})", {kVersion, "tools/list", {}}, -32602},
      {"no capabilities",
       R"({"id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})",
       {kVersion, "x", {}},
       -32602},
  };
  for (const auto& [name, text, fields, want] : cases) {
    const auto refusal = refuse_modern(scan(text), fields);
    EXPECT_EQ(refusal ? static_cast<int>(refusal->code) : 0, want) << name;
    EXPECT_TRUE(!refusal || !refusal->text.empty()) << name;
  }
}

TEST(ModernRequest, EncodesWhatAHeaderFieldCannotHold) {
  EXPECT_EQ(header_value("us-west1"), "us-west1");
  EXPECT_EQ(header_value(" padded "), "=?base64?IHBhZGRlZCA=?=");
  EXPECT_EQ(header_value("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
  EXPECT_EQ(header_value("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
  EXPECT_EQ(header_value(""), "");
}

TEST(ModernRequest, IsKnownByWhatOnlyItHas) {
  const auto plain = [](const char* method) {
    return scan(R"({"id":1,"method":")" + std::string(method) + "\"}");
  };
  EXPECT_TRUE(is_modern(scan(request("initialize")), {}));
  EXPECT_TRUE(is_modern(plain("tools/list"), {"2026-07-28", {}, {}}));
  EXPECT_TRUE(is_modern(plain("server/discover"), {}));
  EXPECT_FALSE(is_modern(plain("initialize"), {}));
  EXPECT_FALSE(is_modern(plain("tools/list"), {"2025-11-25", "tools/list", {}}));
}

TEST(ModernRequest, ErrorsHaveStatuses) {
  for (const auto& [code, want] : {std::pair{0, 200},
                                   {-32601, 404},
                                   {-32602, 400},
                                   {-32020, 400},
                                   {-32021, 400},
                                   {-32022, 400},
                                   {-32603, 200},
                                   {-1, 200}})
    EXPECT_EQ(status_of_modern(code), want) << code;
}

TEST(Origin, OnlyTheLoopbackAndWhatIsAllowedMayTalk) {
  const std::vector<std::string> allowed{"https://app.example.com"};
  const std::vector<std::string> any{"*"};
  for (const auto* good : {"http://localhost", "http://localhost:6274", "HTTP://LOCALHOST:1",
                           "http://127.0.0.1:8080", "https://[::1]:3", "https://app.example.com"})
    EXPECT_TRUE(origin_allowed(good, allowed)) << good;
  for (const auto* bad : {"http://evil.example.com", "null", "", "http://localhost.evil.com",
                          "http://127.0.0.1.evil.com", "https://app.example.com:8443",
                          "http://app.example.com", "http://[::1", "localhost"}) {
    EXPECT_FALSE(origin_allowed(bad, allowed)) << bad;
    EXPECT_TRUE(origin_allowed(bad, any)) << bad;
  }
}

}  // namespace
}  // namespace mcpfleet::mcp
