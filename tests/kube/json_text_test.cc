#include "kube/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::kube {
namespace {

using ::testing::ElementsAre;

TEST(SplitList, HandsOutEachItem) {
  std::string body =
      R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"next","remainingItemCount":3},
          "items":[{"a":{"b":[1,2]}}, {"c":"}]"}]})";
  std::vector<std::string> items;
  const auto page = split_list(body, [&](std::string_view item) { items.emplace_back(item); });
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->resource_version, "7");
  EXPECT_EQ(page->continue_token, "next");
  EXPECT_THAT(items, ElementsAre(R"({"a":{"b":[1,2]}})", R"({"c":"}]"})"));
}

TEST(SplitList, AnEmptyListMayHaveNullItems) {
  std::string body = R"({"items":null,"metadata":{"resourceVersion":"7"}})";
  const auto page = split_list(body, [](std::string_view) { FAIL(); });
  ASSERT_TRUE(page);
  EXPECT_EQ(page->continue_token, "");
}

TEST(SplitList, RefusesWhatIsNoList) {
  for (std::string body : {"", "nonsense", "[]", "{\"items\":[", "{\"items\":[]}", "{\"items\":5}",
                           "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[1]}"}) {
    const auto page = split_list(body, [](std::string_view) {});
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().kind, ErrorKind::Malformed) << body;
  }
}

TEST(ParseWatchEvent, Types) {
  const struct {
    std::string line;
    WatchEvent::Type want;
  } kCases[] = {
      {R"({"type":"ADDED","object":{"metadata":{"name":"n","namespace":"s","resourceVersion":"5"}}})",
       WatchEvent::Type::Added},
      {R"({"object":{"metadata":{"namespace":"s","resourceVersion":"5","name":"n"}},"type":"MODIFIED"})",
       WatchEvent::Type::Modified},
      {R"({"type":"DELETED","object":{"metadata":{"name":"n","namespace":"s","resourceVersion":"5"}}})",
       WatchEvent::Type::Deleted},
  };
  for (const auto& c : kCases) {
    std::string line = c.line;
    const auto event = parse_watch_event(line);
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->type, c.want);
    EXPECT_EQ(event->name, "n");
    EXPECT_EQ(event->namespace_, "s");
    EXPECT_EQ(event->resource_version, "5");
    EXPECT_EQ(event->object.front(), '{');
    EXPECT_EQ(event->object.back(), '}');
  }
}

TEST(ParseWatchEvent, ErrorsHaveACode) {
  std::string line =
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}})";
  const auto event = parse_watch_event(line);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, WatchEvent::Type::Error);
  EXPECT_EQ(event->error_code, 410);
}

TEST(ParseWatchEvent, RefusesGarbage) {
  for (std::string line : {"", "x", "{}", R"({"type":"ADDED"})", R"({"type":"NEW","object":{}})",
                           R"({"type":"ADDED","object":[]})", R"({"type":"ADDED","object":{)"}) {
    const auto event = parse_watch_event(line);
    ASSERT_FALSE(event) << line;
    EXPECT_EQ(event.error().kind, ErrorKind::Malformed) << line;
  }
}

}  // namespace
}  // namespace mcpfleet::kube
