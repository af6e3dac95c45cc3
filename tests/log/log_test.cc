#include "log/log.h"

#include <gtest/gtest.h>

namespace mcpfleet::log {
namespace {

TEST(LogTest, TextQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(render(Format::Text, "T", Level::Info, "scaled",
                   {{"server", "default/time"}, {"from", 3}, {"why", "too slow"}, {"ok", true}}),
            R"(T info scaled server=default/time from=3 why="too slow" ok=true)");
}

TEST(LogTest, JsonIsOneObjectALine) {
  EXPECT_EQ(
      render(Format::Json, "T", Level::Warn, "a\nb", {{"n", 1.5}, {"bad", "\xff"}}),
      "{\"time\":\"T\",\"level\":\"warn\",\"msg\":\"a\\nb\",\"n\":1.5,\"bad\":\"\xEF\xBF\xBD\"}");
}

TEST(LogTest, FlagsNameTheirWords) {
  EXPECT_EQ(parse_format("json").value(), Format::Json);
  EXPECT_EQ(parse_level("debug").value(), Level::Debug);
  EXPECT_NE(parse_format("xml").error().message.find("json"), std::string::npos);
  EXPECT_NE(parse_level("loud").error().message.find("warn"), std::string::npos);
}

}  // namespace
}  // namespace mcpfleet::log
