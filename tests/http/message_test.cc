#include "http/message.h"

#include <gtest/gtest.h>

namespace mcpfleet::http {
namespace {

TEST(HeadersTest, NamesCompareWithoutCase) {
  Headers headers{{"Content-Type", "a"}, {"x-one", "1"}, {"X-One", "2"}};
  EXPECT_EQ(headers.get("content-type"), "a");
  EXPECT_EQ(headers.get("missing"), std::nullopt);
  EXPECT_EQ(headers.all("X-ONE"), (std::vector<std::string_view>{"1", "2"}));
  headers.set("x-ONE", "3");
  EXPECT_EQ(headers.all("x-one"), (std::vector<std::string_view>{"3"}));
}

}  // namespace
}  // namespace mcpfleet::http
