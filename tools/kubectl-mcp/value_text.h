// Values as people say them: "480ms", "2.5%", "12.5", and ages as kubectl has them.
//
// Pure: free functions without state.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace mcpfleet::kubectl {

// At most three significant digits; from 1000 on whole numbers.
std::string number_text(double value);
// "480ms", "1.2s", "2m5s".
std::string seconds_text(double value);
// By the metric's name: durations, ratios, numbers.
std::string metric_text(std::string_view metric, double value);
// A value or target that stands in a status, such as "480m" or "> 0.5", by its metric's name; as it
// is where it is no quantity, such as "63%".
std::string stored_text(std::string_view metric, std::string_view text);

// "42s", "3m5s", "47m", "5h12m", "2d": the words of kubectl's column AGE. Never negative: clocks
// differ.
std::string age_text(Duration age);
// A duration of a spec: "30s", "90m", "24h", "250ms".
std::string span_text(Duration span);
// How long before `now`; 0 where it is after.
Duration age_of(WallTime time, WallTime now);

}  // namespace mcpfleet::kubectl
