#include "kube/list_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace mcpfleet::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What the scanner made of `text` that came in pieces of `size` bytes.
struct Scanned {
  Scanned(std::string_view text, std::size_t size) {
    ListScanner scanner(
        [this](const ListPage& head) -> std::optional<Error> {
          begun.push_back(head.resource_version + "/" + head.continue_token);
          return std::nullopt;
        },
        [this](std::string_view item) { items.emplace_back(item); });
    for (std::size_t at = 0; at < text.size() && !error; at += size) {
      error = scanner.feed(text.substr(at, size));
    }
    if (error) return;
    const auto end = scanner.end();
    if (end) {
      page = *end;
    } else {
      error = end.error();
    }
  }
  std::vector<std::string> begun;
  std::vector<std::string> items;
  ListPage page;
  std::optional<Error> error;
};

TEST(ListScanner, HandsOutEachItemHoweverThePiecesFall) {
  constexpr std::string_view kList =
      R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"next","x":["items",{}]},
          "items" : [{"a":{"b":[1,2]},"items":[{}]}, {"c":"}]\"{\\"},{}],"extra":[{"not":"an item"}]})";
  for (std::size_t size = 1; size <= kList.size(); ++size) {
    const Scanned got(kList, size);
    ASSERT_FALSE(got.error) << got.error->message << " by " << size;
    EXPECT_THAT(got.begun, ElementsAre("7/next")) << size;
    EXPECT_EQ(got.page.resource_version, "7");
    EXPECT_EQ(got.page.continue_token, "next");
    EXPECT_THAT(got.items,
                ElementsAre(R"({"a":{"b":[1,2]},"items":[{}]})", R"({"c":"}]\"{\\"})", "{}"))
        << size;
  }
}

TEST(ListScanner, AnEmptyListMayHaveNullItems) {
  for (const char* items : {"null", "[]"}) {
    const Scanned got(std::string(R"({"metadata":{"resourceVersion":"7"},"items":)") + items + "}",
                      5);
    EXPECT_FALSE(got.error);
    EXPECT_THAT(got.begun, ElementsAre("7/"));
    EXPECT_THAT(got.items, IsEmpty());
  }
}

TEST(ListScanner, MetadataMayComeLast) {
  const Scanned got(R"({"items":[{"a":1}],"metadata":{"resourceVersion":"7"}})", 5);
  EXPECT_FALSE(got.error);
  EXPECT_THAT(got.begun, ElementsAre("/"));
  EXPECT_THAT(got.items, ElementsAre(R"({"a":1})"));
  EXPECT_EQ(got.page.resource_version, "7");
}

TEST(ListScanner, RefusesWhatIsNoList) {
  for (const char* text : {"", "nonsense", "[]", "{\"items\":[", "{\"items\":[]}", "{\"items\":5}",
                           "}", "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[1]}",
                           "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{}",
                           "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{}]"}) {
    const Scanned got(text, 3);
    ASSERT_TRUE(got.error) << text;
    EXPECT_EQ(got.error->kind, ErrorKind::Malformed) << text;
  }
}

TEST(ListScanner, AnErrorOfTheBeginningBreaksOff) {
  ListScanner scanner([](const ListPage&) { return Error{ErrorKind::Unavailable, "old"}; },
                      [](std::string_view) { FAIL(); });
  const auto error = scanner.feed(R"({"metadata":{"resourceVersion":"7"},"items":[{"a":1}]})");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, "old");
}

}  // namespace
}  // namespace mcpfleet::kube
