#include "kube/json_text.h"

#include <gtest/gtest.h>

namespace mcpfleet::kube {
namespace {

// The event after something else in the buffer, and with something behind it.
Result<WatchEvent> parse(std::string& line) {
  const std::string before = "{\n";
  const std::size_t size = line.size();
  line = before + line + "\n{\"type\":";
  return parse_watch_event(line, before.size(), size);
}

TEST(ParseListEnvelope, ReadsTheMetadata) {
  std::string text =
      R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"next"},"items":[]})";
  const auto page = parse_list_envelope(text);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->resource_version, "7");
  EXPECT_EQ(page->continue_token, "next");
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
    const auto event = parse(line);
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
  const auto event = parse(line);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, WatchEvent::Type::Error);
  EXPECT_EQ(event->error_code, 410);
}

TEST(ParseWatchEvent, ABookmarkMayEndTheList) {
  const struct {
    const char* annotations;
    bool want;
  } kCases[] = {{R"({"k8s.io/initial-events-end":"true"})", true},
                {R"({"k8s.io/initial-events-end":"false"})", false},
                {R"({"other":"true"})", false},
                {"null", false}};
  for (const auto& c : kCases) {
    std::string line = std::string(R"({"type":"BOOKMARK","object":{"metadata":{"annotations":)") +
                       c.annotations + R"(,"resourceVersion":"5"}}})";
    const auto event = parse(line);
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->type, WatchEvent::Type::Bookmark);
    EXPECT_EQ(event->initial_events_end, c.want) << c.annotations;
    EXPECT_EQ(event->resource_version, "5");
  }
}

TEST(ParseWatchEvent, RefusesGarbage) {
  for (std::string line : {"", "x", "{}", R"({"type":"ADDED"})", R"({"type":"NEW","object":{}})",
                           R"({"type":"ADDED","object":[]})", R"({"type":"ADDED","object":{)"}) {
    const auto event = parse(line);
    ASSERT_FALSE(event) << line;
    EXPECT_EQ(event.error().kind, ErrorKind::Malformed) << line;
  }
}

}  // namespace
}  // namespace mcpfleet::kube
