#include "mcp/json_rpc.h"

#include <gtest/gtest.h>

#include "mcp/methods.h"

namespace mcpfleet::mcp {
namespace {

TEST(JsonRpc, ErrorsCarryTheIdAndTheText) {
  EXPECT_EQ(error_text("7", ErrorCode::ServerError, "say \"x\""),
            R"({"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"say \"x\""}})");
  EXPECT_EQ(error_text("", ErrorCode::ParseError, "x"),
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}})");
  EXPECT_NE(unsupported_version_text("\"a\"", "2026-07-28").find(R"("requested":"2026-07-28")"),
            std::string::npos);
}

TEST(Methods, OnlyKnownOnesAreLabels) {
  for (const char* method : {"initialize", "tools/call", "tools/list", "ping",
                             "completion/complete", "server/discover", "resources/templates/list"})
    EXPECT_EQ(method_label(method), method);
  for (const char* method : {"", "tools", "tools/calls", "notifications/initialized", "zzz"})
    EXPECT_EQ(method_label(method), kOtherMethod) << method;
}

}  // namespace
}  // namespace mcpfleet::mcp
