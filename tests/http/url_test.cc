#include <gtest/gtest.h>

#include "http/client.h"

namespace mcpfleet::http {
namespace {

TEST(UrlTest, ReadsWhatKubeconfigsHold) {
  const struct {
    const char* text;
    Endpoint want;
    const char* path;
  } cases[] = {
      {"https://10.96.0.1:6443", {"10.96.0.1", 6443, true}, ""},
      {"https://api.example.org/clusters/a", {"api.example.org", 443, true}, "/clusters/a"},
      {"http://127.0.0.1:8080/", {"127.0.0.1", 8080, false}, "/"},
      {"https://[fd00::1]:6443/x", {"fd00::1", 6443, true}, "/x"},
      {"http://[::1]", {"::1", 80, false}, ""},
  };
  for (const auto& test : cases) {
    auto got = parse_url(test.text);
    ASSERT_TRUE(got) << test.text << ": " << got.error().message;
    EXPECT_EQ(got->endpoint, test.want) << test.text;
    EXPECT_EQ(got->path, test.path) << test.text;
  }
}

TEST(UrlTest, RefusesTheRest) {
  for (const char* text : {"", "ftp://x", "https://", "http://x:0", "http://x:70000", "http://x:a",
                           "https://user:word@x", "http://[::1", "http://[::1]x"})
    EXPECT_FALSE(parse_url(text)) << text;
}

}  // namespace
}  // namespace mcpfleet::http
