// Times and durations as Kubernetes writes them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet {

// RFC 3339 in UTC with whole seconds, as metav1.Time: "2026-01-01T00:00:00Z". Fractions are cut
// off.
std::string to_rfc3339(WallTime time);

// The same with microseconds, as metav1.MicroTime: "2026-01-01T00:00:00.000000Z".
std::string to_rfc3339_micro(WallTime time);

// Reads RFC 3339 with "Z" or a numeric offset and an optional fraction. Error: Invalid.
Result<WallTime> parse_rfc3339(std::string_view text);

// Reads a Go duration such as "300s", "1m30s", "250ms" or "1.5h"; units h, m, s, ms. Negative and
// empty ones are refused. Error: Invalid, a sentence without the field's name (the caller knows
// it).
Result<Duration> parse_duration(std::string_view text);

// Writes a duration the way people say it: "300s" -> "5m0s" is avoided; whole seconds are "300s",
// else "250ms".
std::string format_duration(Duration duration);

}  // namespace mcpfleet
