#include "metrics-adapter/history/redis_records.h"

#include <gtest/gtest.h>

#include "metrics-adapter/history/redis_url.h"

namespace mcpfleet::adapter {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const metrics::HistoryKey kServer{"mcpservers.mcpfleet.dev", "ns", "x", "", ""};
const WallTime kAt{seconds(1'767'225'660)};

RedisRecords records() { return {"p:", hours(1), hours(24)}; }

TEST(RedisRecordsTest, TheExactCommands) {
  metrics::Reading reading{};
  reading[0] = 12.5;
  reading[7] = 0;
  EXPECT_EQ(
      records().keep(kServer, kAt, reading),
      (std::vector<RedisCommand>{
          {"ZREMRANGEBYSCORE", "p:readings:mcpservers.mcpfleet.dev/ns/x", "1767225660",
           "1767225660"},
          {"ZADD", "p:readings:mcpservers.mcpfleet.dev/ns/x", "1767225660",
           "1 1767225660 12.5 - - - - - - 0"},
          {"ZREMRANGEBYSCORE", "p:readings:mcpservers.mcpfleet.dev/ns/x", "-inf", "(1767222060"},
          {"EXPIRE", "p:readings:mcpservers.mcpfleet.dev/ns/x", "3600"}}));
  MinuteOfAll minute{kAt, {}};
  minute.of[6] = {60, 90.5, 1, 2, 1.5};
  EXPECT_EQ(records().keep(kServer, minute, true),
            (std::vector<RedisCommand>{
                {"HSET", "p:minutes:mcpservers.mcpfleet.dev/ns/x:1767225600", "1767225660",
                 "1 - - - - - - 60:90.5:1:2:1.5 -"},
                {"EXPIRE", "p:minutes:mcpservers.mcpfleet.dev/ns/x:1767225600", "90000"}}));
  EXPECT_EQ(records().keep(kServer, minute, false).front().front(), "HSETNX");
  EXPECT_EQ(records().load(kServer, kAt).size(), 2u + 25u);
}

TEST(RedisRecordsTest, PassesOverWhatItCannotRead) {
  const std::vector<std::vector<std::string>> answers{
      {"mcp_error_ratio", "x", "odd"},
      {"", "hello", "2 1767225600 1 1 1 1 1 1 1 1", "1 -5 1 1 1 1 1 1 1 1", "1 5 1 1",
       "1 99999999999999999 1 1 1 1 1 1 1 1", "1 1767225600 1 nan inf 1e999 x - 1 1",
       "1 1767225600 2 - - - - - - -"},
      {"1767225600", "1 1:2:3 a - - - - - -", "x", "1 - - - - - - - -", "1767225660"}};
  const auto read = RedisRecords::read(answers);
  ASSERT_EQ(read.readings.size(), 1u) << "and the second of a time";
  EXPECT_EQ(read.readings[0].second[0], 1);
  for (const int index : {1, 2, 3, 4, 5}) EXPECT_FALSE(read.readings[0].second[index]) << index;
  ASSERT_EQ(read.minutes.size(), 1u);
  EXPECT_EQ(read.minutes[0].of[0].count, 0u);
  EXPECT_TRUE(RedisRecords::read({}).readings.empty());
}

TEST(RedisUrlTest, Reads) {
  const struct {
    const char* url;
    RedisAddress want;
  } cases[] = {
      {"redis://host", {"host", 6379, 0, "", ""}},
      {"redis://host/", {"host", 6379, 0, "", ""}},
      {"redis://host:7000/3", {"host", 7000, 3, "", ""}},
      {"redis://:p%40ss%2F@10.0.0.1:1/0", {"10.0.0.1", 1, 0, "", "p@ss/"}},
      {"redis://me:word@host", {"host", 6379, 0, "me", "word"}},
      {"redis://:@[::1]:7000/1", {"::1", 7000, 1, "", ""}},
      {"redis://[::1]", {"::1", 6379, 0, "", ""}},
  };
  for (const auto& test : cases) {
    const auto address = parse_redis_url(test.url);
    ASSERT_TRUE(address) << test.url;
    EXPECT_EQ(*address, test.want) << test.url;
  }
}

TEST(RedisUrlTest, RefusesWithoutTellingThePassword) {
  for (const char* url :
       {"", "host", "http://host", "redis://", "redis://:7000", "redis://host:0", "redis://host:x",
        "redis://host:70000", "redis://host/x", "redis://host/-1", "redis://host/99999",
        "redis://word@host", "redis://:s3cret%zz@host", "redis://:s3cret@", "redis://[::1",
        "redis://:s3cret@host/a/b"}) {
    const auto address = parse_redis_url(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().message, "must be redis://[:PASSWORD@]HOST[:PORT][/DATABASE]") << url;
  }
  EXPECT_EQ(parse_redis_url("rediss://:s3cret@host").error().message.substr(0, 27),
            "rediss:// is not supported,");
}

}  // namespace
}  // namespace mcpfleet::adapter
