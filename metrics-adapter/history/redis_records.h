// How histories stand in Redis. Pure.
//
// Of each object, below a prefix:
//   readings:RESOURCE/NAMESPACE/NAME        sorted set: a reading, by its time (seconds)
//   minutes:RESOURCE/NAMESPACE/NAME:HOUR    hash: the aggregates of a minute, by its time, of an
//                                           hour (seconds of its beginning)
//   resets:RESOURCE/NAMESPACE/NAME          hash: since when a metric counts, by its name
// All times are those of slots, so that adapters which write the same do not double it, and all
// keys expire. The layout is that of RealTimeMetrics in seed 000, with all metrics of an object in
// one member or field, which costs an eighth.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/history.h"

namespace mcpfleet::adapter {

using RedisCommand = std::vector<std::string>;

// The aggregates of one minute, by Metric; those without a sample have a count of 0.
struct MinuteOfAll {
  WallTime at;
  std::array<metrics::Aggregate, metrics::kMetricCount> of;
};

// What was kept of an object.
struct RestoredHistory {
  std::vector<std::pair<WallTime, metrics::Reading>> readings;  // in order, one of a time
  std::vector<MinuteOfAll> minutes;
};

class RedisRecords {
 public:
  // Readings and minutes are kept for these spans.
  RedisRecords(std::string prefix, Duration readings, Duration minutes)
      : prefix_(std::move(prefix)), readings_(readings), minutes_(minutes) {}

  std::vector<RedisCommand> keep(const metrics::HistoryKey& key, WallTime at,
                                 const metrics::Reading& reading) const;
  // A minute that was not seen as a whole does not replace one that is there.
  std::vector<RedisCommand> keep(const metrics::HistoryKey& key, const MinuteOfAll& minute,
                                 bool whole) const;
  // Forgets one metric up to now, or everything.
  std::vector<RedisCommand> forget(const metrics::HistoryKey& key,
                                   std::optional<metrics::Metric> metric, WallTime now) const;

  // What to ask for, and what the answers say: a list of texts for each command. What cannot be
  // read, as from another version, is passed over.
  std::vector<RedisCommand> load(const metrics::HistoryKey& key, WallTime now) const;
  static RestoredHistory read(std::span<const std::vector<std::string>> answers);

 private:
  std::string key_of(std::string_view kind, const metrics::HistoryKey& key) const;
  std::string minutes_key(const metrics::HistoryKey& key, std::int64_t hour) const;
  std::vector<std::int64_t> hours_until(WallTime now) const;

  const std::string prefix_;
  const Duration readings_;
  const Duration minutes_;
};

}  // namespace mcpfleet::adapter
