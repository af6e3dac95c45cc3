// docs/conditions.md explains each condition and reason, and no other.
#include "desired/reasons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace mcpfleet::desired {
namespace {

std::string document() {
  std::ifstream file(MCPFLEET_SOURCE_DIR "/docs/conditions.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ReasonsTest, EachReasonHasARowAndEachRowAReason) {
  const std::string text = document();
  std::set<std::string> rows;
  const std::regex row("\\n\\| `([A-Za-z]+)` \\|");
  for (auto it = std::sregex_iterator(text.begin(), text.end(), row); it != std::sregex_iterator();
       ++it)
    rows.insert((*it)[1]);
  EXPECT_EQ(rows, std::set<std::string>(kReasons.begin(), kReasons.end()));
}

TEST(ReasonsTest, EachTypeHasAHeading) {
  const std::string text = document();
  for (std::string_view type : kConditionTypes)
    EXPECT_THAT(text, testing::HasSubstr("\n## " + std::string(type) + "\n"));
}

}  // namespace
}  // namespace mcpfleet::desired
