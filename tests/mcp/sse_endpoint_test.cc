#include "mcp/sse_endpoint.h"

#include <gtest/gtest.h>

namespace mcpfleet::mcp {
namespace {

TEST(SseEndpoint, IsResolvedAgainstTheStream) {
  struct Case {
    const char* uri;
    const char* target;
  };
  for (const auto& [uri, target] : {
           Case{"/messages/?session_id=1f", "/messages/?session_id=1f"},
           Case{"http://127.0.0.1:8000/messages?s=1", "/messages?s=1"},
           Case{"HTTP://127.0.0.1:8000?s=1", "/?s=1"},
           Case{"http://127.0.0.1:8000", "/"},
           Case{"//127.0.0.1:8000/m", "/m"},
           Case{"messages?s=1", "/a/messages?s=1"},
           Case{"?s=1", "/a/sse?s=1"},
           Case{"/m?next=http://elsewhere/", "/m?next=http://elsewhere/"},
           Case{"/m#part", "/m"},
       }) {
    const auto got = endpoint_target(uri, "127.0.0.1:8000", "/a/sse?x=y");
    ASSERT_TRUE(got) << uri << ": " << got.error().message;
    EXPECT_EQ(*got, target) << uri;
  }
  EXPECT_EQ(*endpoint_target("http://Server/m", "server:80", "/sse"), "/m");
}

TEST(SseEndpoint, OfAnotherOriginIsRefused) {
  for (const std::string uri :
       {"http://127.0.0.1:8001/m", "http://evil.example/m", "https://127.0.0.1:8000/m",
        "//evil.example/m", "http://127.0.0.1:8000@evil.example/m", "ftp:m"}) {
    const auto got = endpoint_target(uri, "127.0.0.1:8000", "/sse");
    ASSERT_FALSE(got) << uri;
    EXPECT_EQ(got.error().message, "names another origin than http://127.0.0.1:8000") << uri;
  }
}

TEST(SseEndpoint, MustBeAUri) {
  for (const std::string& uri :
       {std::string(), std::string("#x"), std::string("/m HTTP/1.1"), std::string("/m\r\nHost: x"),
        std::string("/\xc3\xa9"), "/" + std::string(kMaxEndpoint, 'x')})
    EXPECT_FALSE(endpoint_target(uri, "127.0.0.1:8000", "/sse")) << uri;
}

}  // namespace
}  // namespace mcpfleet::mcp
