// Histories in a real Redis: over restarts, and while it is away, full, slow or closed.
#include "metrics-adapter/history/redis_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "metrics-adapter/history/history_book.h"
#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/own_metrics.h"
#include "redis_server.h"

namespace mcpfleet::adapter {
namespace {

using metrics::HistoryKey;
using metrics::kMetricCount;
using metrics::Metric;
using metrics::Reading;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Metric kRate = Metric::RequestsPerSecond;
const HistoryKey kServer{"mcpservers.mcpfleet.dev", "ns", "x", "", ""};

Reading rate(double value) {
  Reading reading{};
  reading[static_cast<std::size_t>(kRate)] = value;
  return reading;
}

class RedisArchiveTest : public testing::Test {
 protected:
  std::unique_ptr<RedisArchive> make(std::size_t max_waiting = 1000) {
    RedisArchiveOptions options;
    options.address = redis_.address();
    options.timeout = milliseconds(200);
    options.backoff = {milliseconds(10), milliseconds(50)};
    options.max_waiting = max_waiting;
    return std::make_unique<RedisArchive>(
        options, clock_, metrics_, [this](const HistoryKey& key, const RestoredHistory& kept) {
          std::lock_guard lock(mutex_);
          restored_[key] = kept;
        });
  }
  // What a new program would find.
  RestoredHistory load(const HistoryKey& key = kServer) {
    {
      std::lock_guard lock(mutex_);
      restored_.clear();
    }
    const auto archive = make();
    archive->want(key);
    EXPECT_TRUE(comes_true([&] {
      std::lock_guard lock(mutex_);
      return restored_.contains(key);
    }));
    std::lock_guard lock(mutex_);
    return restored_[key];
  }
  double metric(const std::string& name) const {
    const auto text = own_.exposition();
    const auto found = text.find("\nmcpfleet_adapter_history_redis_" + name + " ");
    if (found == text.npos) return -1;
    return std::stod(text.substr(text.find(' ', found + 1)));
  }
  WallTime at(int second) const { return clock_.wall() + seconds(second); }

  RedisServer redis_;
  ManualClock clock_;
  OwnMetrics own_;
  HistoryMetrics metrics_{own_.registry()};
  std::mutex mutex_;
  std::map<HistoryKey, RestoredHistory> restored_;
};

TEST_F(RedisArchiveTest, HistoryOutlivesTheProgram) {
  {
    const auto archive = make();
    for (int second = -20; second <= 0; second += 5)
      archive->keep(kServer, at(second), rate(second + 20.25));
    MinuteOfAll minute{at(-60), {}};
    minute.of[0] = {60, 90, 1, 2, 1.5};
    archive->keep(kServer, minute, true);
  }
  const auto kept = load();
  ASSERT_EQ(kept.readings.size(), 5u);
  EXPECT_EQ(kept.readings[1].first, at(-15));
  EXPECT_EQ(kept.readings[1].second, rate(5.25));
  ASSERT_EQ(kept.minutes.size(), 1u);
  EXPECT_EQ(kept.minutes[0].at, at(-60));
  EXPECT_EQ(kept.minutes[0].of[0], (metrics::Aggregate{60, 90, 1, 2, 1.5}));
  EXPECT_EQ(kept.minutes[0].of[1].count, 0u);
}

TEST_F(RedisArchiveTest, TheNextProgramsBookHasIt) {
  {
    const auto archive = make();
    HistoryBook book({}, metrics_);
    book.use(archive.get());
    for (int second = 0; second < 130; ++second) {
      book.record(kServer, at(0), rate(7));
      clock_.advance(seconds(1));
    }
  }
  HistoryBook book({}, metrics_);
  book.restore(kServer, load(), clock_.wall());
  book.read([&](const metrics::History& history) {
    const auto* object = history.find(kServer);
    ASSERT_NE(object, nullptr);
    EXPECT_EQ(object->samples(kRate, at(-200), at(0)).size(), 26u);
    const auto minutes = object->minutes(kRate, at(-200), at(0));
    ASSERT_EQ(minutes.size(), 2u) << "those that had ended";
    EXPECT_EQ(minutes[0].of, (metrics::Aggregate{60, 420, 7, 7, 7}));
  });
}

TEST_F(RedisArchiveTest, SeveralWritersDoubleNothing) {
  MinuteOfAll whole{at(-60), {}};
  whole.of[0] = {60, 60, 1, 1, 1};
  MinuteOfAll part{at(-60), {}};
  part.of[0] = {5, 5, 1, 1, 1};
  for (int writer = 0; writer < 2; ++writer) {
    const auto archive = make();
    archive->keep(kServer, at(-5), rate(3 + writer));
    archive->keep(kServer, at(0), rate(3));
    archive->keep(kServer, writer == 0 ? whole : part, writer == 0);
  }
  const auto kept = load();
  ASSERT_EQ(kept.readings.size(), 2u);
  EXPECT_EQ(kept.readings[0].second, rate(4));
  ASSERT_EQ(kept.minutes.size(), 1u);
  EXPECT_EQ(kept.minutes[0].of[0].count, 60u) << "a part does not replace the whole";
}

TEST_F(RedisArchiveTest, EveryKeyExpires) {
  {
    const auto archive = make();
    archive->keep(kServer, at(0), rate(1));
    archive->keep(kServer, MinuteOfAll{at(-60), {}}, true);
    archive->forget(kServer, kRate, at(0));
  }
  const auto keys = redis_.ask({"KEYS", "mcpfleet:history:*"});
  EXPECT_EQ(keys.size(), 3u);
  for (const auto& key : keys) EXPECT_GT(std::stol(redis_.ask({"TTL", key}).at(0)), 0) << key;
}

TEST_F(RedisArchiveTest, LetsGoOfWhatIsTooOld) {
  {
    const auto archive = make();
    archive->keep(kServer, at(-4000), rate(1));
    archive->keep(kServer, at(0), rate(2));
  }
  EXPECT_EQ(redis_.ask({"ZCARD", "mcpfleet:history:readings:mcpservers.mcpfleet.dev/ns/x"}),
            (std::vector<std::string>{"1"}));
}

TEST_F(RedisArchiveTest, Forgets) {
  Reading both = rate(1);
  both[static_cast<std::size_t>(Metric::ErrorRatio)] = 0.5;
  {
    const auto archive = make();
    archive->keep(kServer, at(-10), both);
    archive->forget(kServer, kRate, at(-5));
    archive->keep(kServer, at(0), both);
  }
  auto kept = load();
  ASSERT_EQ(kept.readings.size(), 2u);
  EXPECT_FALSE(kept.readings[0].second[0]);
  EXPECT_TRUE(kept.readings[0].second[static_cast<std::size_t>(Metric::ErrorRatio)]);
  EXPECT_EQ(kept.readings[1].second, both);
  make()->forget(kServer, std::nullopt, at(0));
  kept = load();
  EXPECT_TRUE(kept.readings.empty());
  EXPECT_TRUE(redis_.ask({"KEYS", "*"}).empty());
}

TEST_F(RedisArchiveTest, KilledWhileWriting) {
  const auto archive = make();
  archive->keep(kServer, at(-100), rate(1));
  ASSERT_TRUE(comes_true([&] { return metric("written_total") == 1; }));
  EXPECT_EQ(metric("up"), 1);
  testing::internal::CaptureStderr();
  redis_.kill();
  for (int second = -95; second <= 0; second += 5) archive->keep(kServer, at(second), rate(2));
  ASSERT_TRUE(comes_true([&] { return metric("up") == 0 && metric("errors_total") > 2; }));
  EXPECT_GT(metric("queue"), 0);
  redis_.start();
  ASSERT_TRUE(comes_true([&] { return metric("up") == 1 && metric("queue") == 0; }));
  const auto logged = testing::internal::GetCapturedStderr();
  const auto first = logged.find("histories are not kept in Redis");
  EXPECT_NE(first, logged.npos);
  EXPECT_EQ(logged.find("histories are not kept in Redis", first + 1), logged.npos) << logged;
  EXPECT_THAT(logged, HasSubstr("histories are kept in Redis again"));
  EXPECT_EQ(metric("dropped_total"), 0);
  EXPECT_EQ(load().readings.size(), 20u) << "all that came while it was away";
}

TEST_F(RedisArchiveTest, WhatDoesNotFitIsDroppedAndCounted) {
  redis_.kill();
  testing::internal::CaptureStderr();
  {
    const auto archive = make(10);
    ASSERT_TRUE(comes_true([&] {
      archive->keep(kServer, at(0), rate(1));
      return metric("dropped_total") >= 25;
    }));
  }
  const auto logged = testing::internal::GetCapturedStderr();
  const auto first = logged.find("too many wait for it");
  EXPECT_NE(first, logged.npos);
  EXPECT_EQ(logged.find("too many wait for it", first + 1), logged.npos) << logged;
}

TEST_F(RedisArchiveTest, FullRedis) {
  const auto archive = make();
  redis_.ask({"CONFIG", "SET", "maxmemory", "1"});
  testing::internal::CaptureStderr();
  archive->keep(kServer, at(-5), rate(1));
  ASSERT_TRUE(comes_true([&] { return metric("dropped_total") == 1; }));
  ASSERT_TRUE(comes_true([&] { return metric("up") == 0; }));
  redis_.ask({"CONFIG", "SET", "maxmemory", "0"});
  archive->keep(kServer, at(0), rate(2));
  ASSERT_TRUE(comes_true([&] { return metric("up") == 1 && metric("written_total") == 1; }));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("Redis refused to write: OOM command not allowed"));
  EXPECT_EQ(load().readings.size(), 1u);
}

TEST_F(RedisArchiveTest, SlowRedis) {
  const auto archive = make();
  archive->keep(kServer, at(-5), rate(1));
  ASSERT_TRUE(comes_true([&] { return metric("written_total") == 1; }));
  testing::internal::CaptureStderr();
  redis_.ask({"CLIENT", "PAUSE", "1000", "ALL"});
  archive->keep(kServer, at(0), rate(2));
  ASSERT_TRUE(comes_true([&] { return metric("up") == 0; }));
  ASSERT_TRUE(comes_true([&] { return metric("up") == 1 && metric("queue") == 0; }));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("did not answer within 200ms"));
  EXPECT_EQ(load().readings.size(), 2u);
}

TEST_F(RedisArchiveTest, AForeignKeyIsNoHistory) {
  redis_.ask({"SET", "mcpfleet:history:readings:mcpservers.mcpfleet.dev/ns/x", "5"});
  EXPECT_TRUE(load().readings.empty());
}

TEST(RedisPasswordTest, IsAskedForAndNeverTold) {
  RedisServer redis("s3cret-word");
  ManualClock clock;
  OwnMetrics own;
  HistoryMetrics metrics(own.registry());
  RedisArchiveOptions options;
  options.address = redis.address();
  options.address.password = "not-the-s3cret";
  options.backoff = {milliseconds(10), milliseconds(50)};
  testing::internal::CaptureStderr();
  {
    RedisArchive archive(options, clock, metrics, nullptr);
    archive.keep(kServer, clock.wall(), rate(1));
    ASSERT_TRUE(comes_true(
        [&] { return own.exposition().find("redis_errors_total 0") == std::string::npos; }));
  }
  const auto logged = testing::internal::GetCapturedStderr();
  EXPECT_THAT(logged, HasSubstr("refused AUTH: WRONGPASS"));
  EXPECT_THAT(logged, Not(HasSubstr("not-the-s3cret")));
  options.address = redis.address();
  {
    RedisArchive archive(options, clock, metrics, nullptr);
    archive.keep(kServer, clock.wall(), rate(1));
  }
  EXPECT_EQ(redis.ask({"KEYS", "*"}).size(), 1u);
}

}  // namespace
}  // namespace mcpfleet::adapter
