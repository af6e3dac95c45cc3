#include "scaling/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "base/time_text.h"

namespace mcpfleet::scaling {
namespace {

using testing::HasSubstr;

constexpr WallTime kNow{std::chrono::seconds(1'767'225'600)};

WallTime at(const char* text) { return parse_rfc3339(text).value(); }

std::string shown(std::optional<WallTime> time) { return time ? to_rfc3339(*time) : "none"; }

TEST(CronTest, NextAndLast) {
  const struct {
    const char* line;
    const char* time;
    const char* last;
    const char* next;
  } cases[] = {
      {"* * * * *", "2026-01-01T10:20:30Z", "2026-01-01T10:20:00Z", "2026-01-01T10:21:00Z"},
      {"0 8 * * *", "2026-01-01T08:00:00Z", "2026-01-01T08:00:00Z", "2026-01-02T08:00:00Z"},
      {"0 8 * * *", "2026-01-01T07:59:59Z", "2025-12-31T08:00:00Z", "2026-01-01T08:00:00Z"},
      {"30 7 * * MON-FRI", "2026-01-03T12:00:00Z", "2026-01-02T07:30:00Z", "2026-01-05T07:30:00Z"},
      {"*/15 9-17 * * *", "2026-01-01T17:50:00Z", "2026-01-01T17:45:00Z", "2026-01-02T09:00:00Z"},
      {"5/20 * * * *", "2026-01-01T10:26:00Z", "2026-01-01T10:25:00Z", "2026-01-01T10:45:00Z"},
      {"0 0 1 * *", "2026-02-10T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
      {"0 0 31 * *", "2026-02-10T00:00:00Z", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"},
      {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
      {"0 0 29 2 *", "2097-01-01T00:00:00Z", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
      {"0 12 * jan,dec sun", "2026-02-01T00:00:00Z", "2026-01-25T12:00:00Z",
       "2026-12-06T12:00:00Z"},
      {"0 12 * * 7", "2026-01-01T00:00:00Z", "2025-12-28T12:00:00Z", "2026-01-04T12:00:00Z"},
      {"0 12 * * 0", "2026-01-01T00:00:00Z", "2025-12-28T12:00:00Z", "2026-01-04T12:00:00Z"},
      // Both days restricted: either will do.
      {"0 0 13 * FRI", "2026-01-10T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"},
      {"59 23 31 12 *", "2026-12-31T23:59:30Z", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"},
  };
  for (const auto& test : cases) {
    const auto cron = Cron::parse(test.line);
    ASSERT_TRUE(cron) << test.line << ": " << cron.error().message;
    EXPECT_EQ(shown(cron->last(at(test.time))), test.last) << test.line << " at " << test.time;
    EXPECT_EQ(shown(cron->next(at(test.time))), test.next) << test.line << " at " << test.time;
  }
}

TEST(CronTest, ErrorsNameTheField) {
  const struct {
    const char* line;
    const char* message;
  } cases[] = {
      {"", "must have five fields (minute, hour, day of the month, month, day of the week), not 0"},
      {"* * * *", "not 4"},
      {"* * * * * *", "not 6"},
      {"60 * * * *", "minute \"60\" must be between 0 and 59"},
      {"-1 * * * *", "minute \"\" must be between 0 and 59"},
      {"* 24 * * *", "hour \"24\" must be between 0 and 23"},
      {"* 5- * * *", "hour \"\" must be between 0 and 23"},
      {"* * 0 * *", "day of the month \"0\" must be between 1 and 31"},
      {"* * * 13 *", "month \"13\" must be between 1 and 12"},
      {"* * * foo *", "month \"foo\""},
      {"* * * * 8", "day of the week \"8\" must be between 0 and 7"},
      {"* * * * mo", "day of the week \"mo\""},
      {"*/0 * * * *", "minute: the step \"0\" must be between 1 and 59"},
      {"*/ * * * *", "minute: the step \"\""},
      {"*/99999999999 * * * *", "minute: the step"},
      {"9-5 * * * *", "minute: the range \"9-5\" must not end before it begins"},
      {"1,,2 * * * *", "minute \"\""},
      {"1x * * * *", "minute \"1x\""},
      {"0 0 30 2 *", "\"0 0 30 2 *\" never fires: no month has such a day"},
      {"@daily", "must have five fields"},
  };
  for (const auto& test : cases) {
    const auto cron = Cron::parse(test.line);
    ASSERT_FALSE(cron) << test.line;
    EXPECT_EQ(cron.error().kind, ErrorKind::Invalid);
    EXPECT_THAT(cron.error().message, HasSubstr(test.message)) << test.line;
  }
}

// Held against the plain way to look: minute by minute over a year.
TEST(CronTest, FiresWhereEachMinuteSaysSo) {
  for (const char* line : {"*/7 3,4,15 */3 * *", "0 */5 1-10 2-11/3 MON,WED", "13 22 * * 6-7"}) {
    const auto cron = Cron::parse(line);
    ASSERT_TRUE(cron) << line;
    const WallTime begin = at("2026-01-01T00:00:00Z");
    const WallTime end = at("2027-01-01T00:00:00Z");
    // From firing to firing, and back again.
    int forward = 0;
    for (auto time = cron->next(begin); *time < end; time = cron->next(*time)) {
      ASSERT_EQ(cron->last(*time), time);
      ASSERT_EQ(cron->next(*time - std::chrono::nanoseconds(1)), time);
      ++forward;
    }
    int backward = 0;
    for (auto time = cron->last(end - std::chrono::nanoseconds(1)); *time > begin;
         time = cron->last(*time - std::chrono::nanoseconds(1)))
      ++backward;
    EXPECT_EQ(forward, backward) << line;
    EXPECT_GT(forward, 50) << line;
  }
}

TEST(CronTest, AnyTextIsParsedOrRefused) {
  std::mt19937 random(11);
  const std::string_view letters = "0123456789*/-,  MONJAN\t\xC3";
  int parsed = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string line;
    for (std::size_t n = random() % 14; n > 0; --n) line += letters[random() % letters.size()];
    // Every second one is nearly good.
    if (i % 2 == 0) line = "* */2 " + line + " * *";
    const auto cron = Cron::parse(line);
    if (!cron) {
      ASSERT_FALSE(cron.error().message.empty());
      continue;
    }
    ++parsed;
    const auto next = cron->next(kNow);
    ASSERT_TRUE(next) << line;
    ASSERT_EQ(cron->last(*next), next) << line;
  }
  EXPECT_GT(parsed, 1000);
}

TEST(CronTest, TheEndsOfTime) {
  const auto cron = Cron::parse("0 0 * * *");
  EXPECT_FALSE(cron->next(WallTime::max()));
  EXPECT_FALSE(cron->last(WallTime::min()));
  EXPECT_EQ(shown(cron->last(WallTime{std::chrono::seconds(-1)})), "1969-12-31T00:00:00Z");
  EXPECT_FALSE(Cron().next(WallTime{}));
}

}  // namespace
}  // namespace mcpfleet::scaling
