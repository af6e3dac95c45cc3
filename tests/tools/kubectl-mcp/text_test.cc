#include "tools/kubectl-mcp/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::kubectl {
namespace {

using ::testing::ElementsAre;

TEST(Text, CountsCodePoints) { EXPECT_EQ(columns("4 → 6…"), 6); }

TEST(Text, CutsWithAnEllipsis) {
  EXPECT_EQ(cut("search", 6), "search");
  EXPECT_EQ(cut("search", 5), "sear…");
  EXPECT_EQ(cut("4 → 6", 4), "4 →…");
  EXPECT_EQ(cut("search", 1), "…");
  EXPECT_EQ(cut("search", 0), "");
}

TEST(Text, FillsUpToAWidth) {
  EXPECT_EQ(left("→", 3), "→  ");
  EXPECT_EQ(right("→", 3), "  →");
  EXPECT_EQ(right("long", 3), "long");
}

TEST(Text, WrapsBetweenWords) {
  EXPECT_THAT(wrapped("one two  three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("abcdefgh ij", 3), ElementsAre("abc", "def", "gh", "ij"));
  EXPECT_THAT(wrapped("", 7), ElementsAre(""));
  EXPECT_THAT(wrapped("a\nb\tc", 80), ElementsAre("a b c"));
}

TEST(Text, AlignsCells) {
  EXPECT_THAT(aligned({{"a", "→", "x"}, {"bcd", "e", ""}}), ElementsAre("a    →  x", "bcd  e"));
  EXPECT_TRUE(aligned({}).empty());
}

TEST(Text, ShowsNoControlCharacters) {
  EXPECT_EQ(shown("a\x1b[31mb\x7f\r"), "a [31mb  ");
  EXPECT_EQ(shown("\xc2\x9b"
                  "2J é"),
            " 2J é");
}

}  // namespace
}  // namespace mcpfleet::kubectl
