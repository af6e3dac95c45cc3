#include "scaling/cron.h"

#include <array>
#include <bit>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace mcpfleet::scaling {
namespace {

using std::chrono::days;
using std::chrono::minutes;

constexpr int kMinutesOfDay = 24 * 60;
// 29 February stays away for eight years around 2100.
constexpr std::int64_t kSearchDays = 8 * 366;

struct Field {
  const char* name;
  int least;
  int most;
  std::span<const std::string_view> names = {};  // of `least` and those after it
};

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"SUN", "MON", "TUE", "WED",
                                                       "THU", "FRI", "SAT"};
const std::array<Field, 5> kFields = {{{"minute", 0, 59},
                                       {"hour", 0, 23},
                                       {"day of the month", 1, 31},
                                       {"month", 1, 12, kMonths},
                                       {"day of the week", 0, 7, kWeekdays}}};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

bool same_word(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) != upper[i]) return false;
  }
  return true;
}

Result<int> parse_value(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.names.size(); ++i)
    if (same_word(text, field.names[i])) return field.least + static_cast<int>(i);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < field.least ||
      value > field.most)
    return fail(ErrorKind::Invalid, std::string(field.name) + " " + quoted(text) +
                                        " must be between " + std::to_string(field.least) +
                                        " and " + std::to_string(field.most));
  return value;
}

Result<int> parse_step(const Field& field, std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > field.most)
    return fail(ErrorKind::Invalid, std::string(field.name) + ": the step " + quoted(text) +
                                        " must be between 1 and " + std::to_string(field.most));
  return value;
}

struct Range {
  int first;
  int last;
};

// `open`: a step follows, so that a single number means "from here on".
Result<Range> parse_range(const Field& field, std::string_view text, bool open) {
  if (text == "*") return Range{field.least, field.most};
  const auto dash = text.find('-');
  const auto first = parse_value(field, text.substr(0, dash));
  if (!first) return fail(first.error());
  if (dash == std::string_view::npos) return Range{*first, open ? field.most : *first};
  const auto last = parse_value(field, text.substr(dash + 1));
  if (!last) return fail(last.error());
  if (*last < *first)
    return fail(ErrorKind::Invalid, std::string(field.name) + ": the range " + quoted(text) +
                                        " must not end before it begins");
  return Range{*first, *last};
}

// A bit a value.
Result<std::uint64_t> parse_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (;;) {
    const auto comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const auto slash = item.find('/');
    const bool stepped = slash != std::string_view::npos;
    const auto range = parse_range(field, item.substr(0, slash), stepped);
    if (!range) return fail(range.error());
    int step = 1;
    if (stepped) {
      const auto parsed = parse_step(field, item.substr(slash + 1));
      if (!parsed) return fail(parsed.error());
      step = *parsed;
    }
    for (int value = range->first; value <= range->last; value += step)
      bits |= std::uint64_t{1} << static_cast<unsigned>(value);
    if (comma == std::string_view::npos) return bits;
    text.remove_prefix(comma + 1);
  }
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  for (;;) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return result;
    line.remove_prefix(begin);
    const auto end = line.find_first_of(" \t");
    result.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return result;
    line.remove_prefix(end);
  }
}

bool has(std::uint64_t bits, unsigned bit) { return ((bits >> bit) & 1U) != 0; }

// A search that reaches past the ends of what a WallTime can hold finds nothing.
bool within_time(WallTime time) {
  constexpr auto kReach = days(kSearchDays + 1);
  return time < WallTime::max() - kReach && time > WallTime::min() + kReach;
}

WallTime at(std::int64_t day, int minute) { return WallTime(days(day) + minutes(minute)); }

}  // namespace

Result<Cron> Cron::parse(std::string_view line) {
  const auto texts = words(line);
  if (texts.size() != kFields.size())
    return fail(ErrorKind::Invalid,
                quoted(line) +
                    " must have five fields (minute, hour, day of the month, month, "
                    "day of the week), not " +
                    std::to_string(texts.size()));
  std::array<std::uint64_t, 5> bits{};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const auto parsed = parse_field(kFields[i], texts[i]);
    if (!parsed) return fail(parsed.error());
    bits[i] = *parsed;
  }
  Cron cron;
  cron.minutes_ = bits[0];
  cron.hours_ = static_cast<std::uint32_t>(bits[1]);
  cron.days_ = static_cast<std::uint32_t>(bits[2]);
  cron.months_ = static_cast<std::uint16_t>(bits[3]);
  cron.weekdays_ = static_cast<std::uint8_t>((bits[4] | (bits[4] >> 7U)) & 0x7FU);
  cron.any_day_ = texts[2].starts_with('*');
  cron.any_weekday_ = texts[4].starts_with('*');
  if (!cron.next(WallTime{}))
    return fail(ErrorKind::Invalid, quoted(line) + " never fires: no month has such a day");
  return cron;
}

bool Cron::fires_on(std::int64_t day) const {
  const std::chrono::sys_days date{days(day)};
  const std::chrono::year_month_day parts{date};
  if (!has(months_, static_cast<unsigned>(parts.month()))) return false;
  const bool fits = has(days_, static_cast<unsigned>(parts.day()));
  const bool weekday = has(weekdays_, std::chrono::weekday(date).c_encoding());
  return any_day_ || any_weekday_ ? fits && weekday : fits || weekday;
}

// -1: none on that day.
int Cron::first_minute_from(int minute) const {
  for (int hour = minute / 60; hour < 24; ++hour) {
    if (!has(hours_, static_cast<unsigned>(hour))) continue;
    const int from = hour == minute / 60 ? minute % 60 : 0;
    const std::uint64_t left = minutes_ >> static_cast<unsigned>(from);
    if (left != 0) return hour * 60 + from + std::countr_zero(left);
  }
  return -1;
}

int Cron::last_minute_until(int minute) const {
  for (int hour = minute / 60; hour >= 0; --hour) {
    if (!has(hours_, static_cast<unsigned>(hour))) continue;
    const int until = hour == minute / 60 ? minute % 60 : 59;
    const std::uint64_t left = minutes_ << static_cast<unsigned>(63 - until);
    if (left != 0) return hour * 60 + until - std::countl_zero(left);
  }
  return -1;
}

std::optional<WallTime> Cron::next(WallTime time) const {
  if (!within_time(time)) return std::nullopt;
  const auto minute = std::chrono::floor<minutes>(time).time_since_epoch() + minutes(1);
  const auto today = std::chrono::floor<days>(minute);
  int from = static_cast<int>((minute - today).count());
  for (std::int64_t day = today.count(); day <= today.count() + kSearchDays; ++day, from = 0) {
    if (!fires_on(day)) continue;
    const int found = first_minute_from(from);
    if (found >= 0) return at(day, found);
  }
  return std::nullopt;
}

std::optional<WallTime> Cron::last(WallTime time) const {
  if (!within_time(time)) return std::nullopt;
  const auto minute = std::chrono::floor<minutes>(time).time_since_epoch();
  const auto today = std::chrono::floor<days>(minute);
  int until = static_cast<int>((minute - today).count());
  for (std::int64_t day = today.count(); day >= today.count() - kSearchDays; --day) {
    const int found = fires_on(day) ? last_minute_until(until) : -1;
    if (found >= 0) return at(day, found);
    until = kMinutesOfDay - 1;
  }
  return std::nullopt;
}

}  // namespace mcpfleet::scaling
