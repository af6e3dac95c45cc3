// Times of a cron line: five fields, in UTC.
//
//   minute 0-59 · hour 0-23 · day of the month 1-31 · month 1-12 or JAN-DEC · day of the week 0-7
//   or SUN-SAT (0 and 7 are Sunday)
//
// A field is *, a number, a range a-b, a step */n or a-b/n or a/n (from a on), or a list of these.
// As in crontab(5) a day fires where the day of the month or the day of the week fits when both are
// restricted. Pure. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::scaling {

class Cron {
 public:
  // Never fires.
  Cron() = default;
  // Error: Invalid; a sentence that names the field: `hour "25" must be between 0 and 23`. A line
  // that never fires (30 February) is refused.
  static Result<Cron> parse(std::string_view line);

  // The last firing at or before `time`, the first after it; within eight years, the longest that
  // 29 February stays away. Never absent for what parse() gave, but at the ends of time.
  std::optional<WallTime> last(WallTime time) const;
  std::optional<WallTime> next(WallTime time) const;

  bool operator==(const Cron&) const = default;

 private:
  bool fires_on(std::int64_t day) const;  // days since 1970
  int first_minute_from(int minute) const;
  int last_minute_until(int minute) const;

  std::uint64_t minutes_ = 0;
  std::uint32_t hours_ = 0;
  std::uint32_t days_ = 0;  // bit 1: the first
  std::uint16_t months_ = 0;
  std::uint8_t weekdays_ = 0;  // bit 0: Sunday
  bool any_day_ = true;        // "*" in the day of the month
  bool any_weekday_ = true;
};

}  // namespace mcpfleet::scaling
