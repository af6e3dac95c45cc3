#include "metrics-adapter/history/redis_records.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace mcpfleet::adapter {
namespace {

using metrics::Aggregate;
using metrics::kMetricCount;
using std::chrono::seconds;

// In front of members and fields' values; another layout gets another one.
constexpr std::string_view kVersion = "1";
constexpr std::string_view kNothing = "-";
constexpr std::int64_t kHour = 3600;

std::int64_t unix_seconds(WallTime at) { return at.time_since_epoch() / seconds(1); }

std::int64_t whole_seconds(Duration span) { return span / seconds(1); }

std::string number_text(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc{} ? std::string(text, end) : std::string(kNothing);
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <typename Number>
std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<Number>)
    if (!std::isfinite(number)) return std::nullopt;
  return number;
}

// No year that a clock can show is beyond this; larger numbers would overflow nanoseconds.
std::optional<WallTime> read_time(std::string_view text) {
  constexpr std::int64_t kMost = 9'000'000'000;
  const auto number = read_number<std::int64_t>(text);
  if (!number || *number < 0 || *number > kMost) return std::nullopt;
  return WallTime{seconds(*number)};
}

std::string aggregate_text(const Aggregate& of) {
  if (of.count == 0) return std::string(kNothing);
  return std::to_string(of.count) + ":" + number_text(of.sum) + ":" + number_text(of.min) + ":" +
         number_text(of.max) + ":" + number_text(of.last);
}

Aggregate read_aggregate(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 5) return {};
  const auto count = read_number<std::uint32_t>(parts[0]);
  const auto sum = read_number<double>(parts[1]);
  const auto min = read_number<double>(parts[2]);
  const auto max = read_number<double>(parts[3]);
  const auto last = read_number<double>(parts[4]);
  if (!count || !sum || !min || !max || !last) return {};
  return {*count, *sum, *min, *max, *last};
}

// "1 TIME VALUE…", a value or "-" for each metric.
std::optional<std::pair<WallTime, metrics::Reading>> read_reading(std::string_view member) {
  const auto parts = split(member, ' ');
  if (parts.size() != kMetricCount + 2 || parts[0] != kVersion) return std::nullopt;
  const auto at = read_time(parts[1]);
  if (!at) return std::nullopt;
  std::pair<WallTime, metrics::Reading> found{*at, {}};
  for (std::size_t i = 0; i < kMetricCount; ++i)
    found.second[i] = read_number<double>(parts[i + 2]);
  return found;
}

// "1 AGGREGATE…" by the time of the minute.
std::optional<MinuteOfAll> read_minute(std::string_view field, std::string_view value) {
  const auto parts = split(value, ' ');
  const auto at = read_time(field);
  if (!at || parts.size() != kMetricCount + 1 || parts[0] != kVersion) return std::nullopt;
  MinuteOfAll minute{*at, {}};
  for (std::size_t i = 0; i < kMetricCount; ++i) minute.of[i] = read_aggregate(parts[i + 1]);
  return minute;
}

// Since when each metric counts, by Metric.
std::array<WallTime, kMetricCount> read_resets(std::span<const std::string> answer) {
  std::array<WallTime, kMetricCount> resets{};
  for (std::size_t i = 0; i + 1 < answer.size(); i += 2) {
    const auto metric = metrics::parse_metric(answer[i]);
    const auto at = read_time(answer[i + 1]);
    if (metric && at) resets[static_cast<std::size_t>(*metric)] = *at;
  }
  return resets;
}

void apply_resets(RestoredHistory& history, const std::array<WallTime, kMetricCount>& resets) {
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    for (auto& [at, reading] : history.readings)
      if (at < resets[i]) reading[i].reset();
    for (auto& minute : history.minutes)
      if (minute.at < resets[i]) minute.of[i] = {};
  }
}

}  // namespace

std::string RedisRecords::key_of(std::string_view kind, const metrics::HistoryKey& key) const {
  return prefix_ + std::string(kind) + ":" + key.resource + "/" + key.namespace_ + "/" + key.name;
}

std::string RedisRecords::minutes_key(const metrics::HistoryKey& key, std::int64_t hour) const {
  return key_of("minutes", key) + ":" + std::to_string(hour);
}

std::vector<std::int64_t> RedisRecords::hours_until(WallTime now) const {
  std::vector<std::int64_t> hours;
  const auto last = unix_seconds(now);
  if (minutes_ <= Duration{0}) return hours;
  for (auto hour = (last - whole_seconds(minutes_)) / kHour * kHour; hour <= last; hour += kHour)
    hours.push_back(hour);
  return hours;
}

std::vector<RedisCommand> RedisRecords::keep(const metrics::HistoryKey& key, WallTime at,
                                             const metrics::Reading& reading) const {
  const auto time = std::to_string(unix_seconds(at));
  std::string member = std::string(kVersion) + " " + time;
  for (const auto& value : reading)
    member += " " + (value ? number_text(*value) : std::string(kNothing));
  const auto name = key_of("readings", key);
  const auto span = whole_seconds(readings_);
  return {{"ZREMRANGEBYSCORE", name, time, time},
          {"ZADD", name, time, member},
          {"ZREMRANGEBYSCORE", name, "-inf", "(" + std::to_string(unix_seconds(at) - span)},
          {"EXPIRE", name, std::to_string(span)}};
}

std::vector<RedisCommand> RedisRecords::keep(const metrics::HistoryKey& key,
                                             const MinuteOfAll& minute, bool whole) const {
  const auto time = unix_seconds(minute.at);
  const auto name = minutes_key(key, time / kHour * kHour);
  std::string value(kVersion);
  for (const auto& of : minute.of) value += " " + aggregate_text(of);
  // An hour is let go when its last minute is too old.
  return {{whole ? "HSET" : "HSETNX", name, std::to_string(time), value},
          {"EXPIRE", name, std::to_string(whole_seconds(minutes_) + kHour)}};
}

std::vector<RedisCommand> RedisRecords::forget(const metrics::HistoryKey& key,
                                               std::optional<metrics::Metric> metric,
                                               WallTime now) const {
  if (metric) {
    const auto name = key_of("resets", key);
    const auto span = std::max(readings_, minutes_);
    return {{"HSET", name, std::string(to_string(*metric)), std::to_string(unix_seconds(now))},
            {"EXPIRE", name, std::to_string(whole_seconds(span) + kHour)}};
  }
  RedisCommand command{"DEL", key_of("readings", key), key_of("resets", key)};
  for (const auto hour : hours_until(now)) command.push_back(minutes_key(key, hour));
  return {command};
}

std::vector<RedisCommand> RedisRecords::load(const metrics::HistoryKey& key, WallTime now) const {
  const auto from = unix_seconds(now) - whole_seconds(readings_);
  std::vector<RedisCommand> commands{
      {"HGETALL", key_of("resets", key)},
      {"ZRANGEBYSCORE", key_of("readings", key), std::to_string(from), "+inf"}};
  for (const auto hour : hours_until(now)) commands.push_back({"HGETALL", minutes_key(key, hour)});
  return commands;
}

RestoredHistory RedisRecords::read(std::span<const std::vector<std::string>> answers) {
  RestoredHistory history;
  if (answers.size() < 2) return history;
  for (const auto& member : answers[1]) {
    auto reading = read_reading(member);
    if (!reading) continue;
    // Adapters that wrote at the same moment may have left two of one time.
    const bool again = !history.readings.empty() && history.readings.back().first == reading->first;
    if (!again) history.readings.push_back(*reading);
  }
  for (const auto& hour : answers.subspan(2))
    for (std::size_t i = 0; i + 1 < hour.size(); i += 2)
      if (auto minute = read_minute(hour[i], hour[i + 1])) history.minutes.push_back(*minute);
  std::ranges::sort(history.minutes, {}, &MinuteOfAll::at);
  apply_resets(history, read_resets(answers[0]));
  return history;
}

}  // namespace mcpfleet::adapter
