#include "base/time_text.h"

#include <gtest/gtest.h>

namespace mcpfleet {
namespace {

using namespace std::chrono_literals;

TEST(TimeTextTest, ReadsAndWritesRfc3339) {
  const struct {
    const char* text;
    const char* want;
  } cases[] = {{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
               {"2026-02-28T23:59:59.999Z", "2026-02-28T23:59:59Z"},
               {"2026-01-01T01:30:00+01:30", "2026-01-01T00:00:00Z"},
               {"2025-12-31T22:00:00-02:00", "2026-01-01T00:00:00Z"}};
  for (const auto& test : cases) {
    auto got = parse_rfc3339(test.text);
    ASSERT_TRUE(got) << test.text;
    EXPECT_EQ(to_rfc3339(*got), test.want);
  }
}

TEST(TimeTextTest, WritesMicroseconds) {
  const struct {
    const char* text;
    const char* want;
  } cases[] = {{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"},
               {"2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500000Z"},
               {"2026-01-01T00:00:59.999999999Z", "2026-01-01T00:00:59.999999Z"},
               {"1969-12-31T23:59:59.000001Z", "1969-12-31T23:59:59.000001Z"}};
  for (const auto& test : cases) EXPECT_EQ(to_rfc3339_micro(*parse_rfc3339(test.text)), test.want);
}

TEST(TimeTextTest, RefusesBrokenTimes) {
  for (const char* text : {"", "2026", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z",
                           "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T25:00:00Z",
                           "2026-01-01T00:00:00+1:00", "20a6-01-01T00:00:00Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(TimeTextTest, ReadsGoDurations) {
  const struct {
    const char* text;
    Duration want;
  } cases[] = {{"300s", 300s},  {"5m", 300s}, {"1m30s", 90s}, {"250ms", 250ms},
               {"1.5h", 90min}, {"0", 0s},    {"0s", 0s}};
  for (const auto& test : cases) {
    auto got = parse_duration(test.text);
    ASSERT_TRUE(got) << test.text;
    EXPECT_EQ(*got, test.want) << test.text;
  }
  for (const char* text : {"", "5", "-5s", "5d", "s", "5s5", "1e3s", "99999999999h", "nans"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(TimeTextTest, WritesDurations) {
  EXPECT_EQ(format_duration(300s), "300s");
  EXPECT_EQ(format_duration(250ms), "250ms");
}

}  // namespace
}  // namespace mcpfleet
