#include "base/time_text.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace mcpfleet {
namespace {

using std::chrono::seconds;

Result<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  if (at + count > text.size()) return fail(ErrorKind::Invalid, "the time is too short");
  for (char c : text.substr(at, count)) {
    if (c < '0' || c > '9')
      return fail(ErrorKind::Invalid, "the time has a character that is no digit");
    value = value * 10 + (c - '0');
  }
  return value;
}

// The part behind the seconds: an optional fraction, then "Z" or "+hh:mm".
Result<Duration> fraction_and_offset(std::string_view rest) {
  Duration shift{0};
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    std::int64_t unit = 100'000'000;
    std::size_t used = 0;
    while (used < rest.size() && rest[used] >= '0' && rest[used] <= '9') {
      shift += Duration((rest[used] - '0') * unit);
      unit /= 10;
      ++used;
    }
    if (used == 0) return fail(ErrorKind::Invalid, "the time has an empty fraction");
    rest.remove_prefix(used);
  }
  if (rest == "Z" || rest == "z") return shift;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':')
    return fail(ErrorKind::Invalid, "the time must end with Z or an offset such as +01:00");
  auto hours = digits(rest, 1, 2);
  auto minutes = digits(rest, 4, 2);
  if (!hours || !minutes) return fail(ErrorKind::Invalid, "the time has a broken offset");
  const auto offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return rest[0] == '+' ? shift - offset : shift + offset;
}

Result<double> unit_in_nanoseconds(std::string_view unit) {
  if (unit == "h") return 3600e9;
  if (unit == "m") return 60e9;
  if (unit == "s") return 1e9;
  if (unit == "ms") return 1e6;
  return fail(ErrorKind::Invalid, "must be a duration with a unit h, m, s or ms, such as 300s");
}

}  // namespace

// Without the C library, whose functions look at the locale and at a lock: an answer of the metrics
// API holds a time for each pod.
std::string to_rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<seconds>(time - day));
  std::string text = "0000-00-00T00:00:00Z";
  const auto put = [&text](std::size_t end, std::int64_t number) {
    for (; number > 0; number /= 10) text[--end] = static_cast<char>('0' + number % 10);
  };
  put(4, std::clamp(static_cast<int>(date.year()), 0, 9999));
  put(7, static_cast<unsigned>(date.month()));
  put(10, static_cast<unsigned>(date.day()));
  put(13, clock.hours().count());
  put(16, clock.minutes().count());
  put(19, clock.seconds().count());
  return text;
}

std::string to_rfc3339_micro(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  const auto rest = std::chrono::floor<std::chrono::microseconds>(time - whole);
  std::string text = to_rfc3339(whole);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>(rest.count()));
  text.replace(text.size() - 1, 1, fraction);
  return text;
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
      (text[10] != 'T' && text[10] != 't'))
    return fail(ErrorKind::Invalid, "a time must look like 2026-01-01T00:00:00Z");
  const std::size_t at[] = {0, 5, 8, 11, 14, 17};
  const std::size_t size[] = {4, 2, 2, 2, 2, 2};
  int value[6];
  for (int i = 0; i < 6; ++i) {
    auto part = digits(text, at[i], size[i]);
    if (!part) return fail(part.error());
    value[i] = *part;
  }
  const std::chrono::year_month_day date{std::chrono::year(value[0]),
                                         std::chrono::month(static_cast<unsigned>(value[1])),
                                         std::chrono::day(static_cast<unsigned>(value[2]))};
  if (!date.ok() || value[3] > 23 || value[4] > 59 || value[5] > 60)
    return fail(ErrorKind::Invalid, "the time is not in the calendar");
  auto shift = fraction_and_offset(text.substr(19));
  if (!shift) return fail(shift.error());
  return WallTime{std::chrono::sys_days(date)} + std::chrono::hours(value[3]) +
         std::chrono::minutes(value[4]) + seconds(value[5]) + *shift;
}

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  if (text.empty() || text.size() > 32)
    return fail(ErrorKind::Invalid, "must be a duration such as 300s");
  double total = 0;
  while (!text.empty()) {
    double amount = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
    if (error != std::errc{} || !(amount >= 0))
      return fail(ErrorKind::Invalid, "must be a duration such as 300s, not negative");
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    auto unit = unit_in_nanoseconds(text.substr(0, letters));
    if (!unit) return fail(unit.error());
    total += amount * *unit;
    text.remove_prefix(letters);
  }
  // About 31 years: far beyond any sensible window, far below where nanoseconds overflow.
  if (total > 1e18) return fail(ErrorKind::Invalid, "is a longer duration than makes sense");
  return Duration(std::llround(total));
}

std::string format_duration(Duration duration) {
  const auto count = duration.count();
  if (count % 1'000'000'000 == 0) return std::to_string(count / 1'000'000'000) + "s";
  char text[48];
  std::snprintf(text, sizeof text, "%.6gms", static_cast<double>(count) / 1e6);
  return text;
}

}  // namespace mcpfleet
