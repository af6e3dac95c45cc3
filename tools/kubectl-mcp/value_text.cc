#include "tools/kubectl-mcp/value_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "base/quantity.h"
#include "base/time_text.h"

namespace mcpfleet::kubectl {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string count(std::int64_t number, const char* unit) { return std::to_string(number) + unit; }

// "3m5s", and "3m" where there is no rest.
std::string with_rest(std::int64_t whole, const char* unit, std::int64_t rest, const char* part) {
  return count(whole, unit) + (rest == 0 ? "" : count(rest, part));
}

bool is_operator(std::string_view word) {
  return !word.empty() && word.find_first_not_of("<>=") == std::string_view::npos;
}

}  // namespace

std::string number_text(double value) {
  char text[64];
  std::snprintf(text, sizeof text, std::fabs(value) < 999.5 ? "%.3g" : "%.0f", value);
  return text;
}

std::string seconds_text(double value) {
  constexpr double kMost = 1e9;  // decades: what is longer is no measurement
  if (value == 0) return "0ms";
  if (value < 0.9995) return number_text(value * 1000) + "ms";
  if (value < 119.5) return number_text(value) + "s";
  return age_text(duration_cast<Duration>(std::chrono::duration<double>(std::min(value, kMost))));
}

std::string metric_text(std::string_view metric, double value) {
  if (metric.starts_with("mcp_request_duration_seconds")) return seconds_text(value);
  if (metric.starts_with("mcp_error_ratio")) return number_text(value * 100) + "%";
  return number_text(value);
}

std::string stored_text(std::string_view metric, std::string_view text) {
  std::string head;
  if (const auto space = text.find(' ');
      space != std::string_view::npos && is_operator(text.substr(0, space))) {
    head = text.substr(0, space + 1);
    text.remove_prefix(space + 1);
  }
  const auto milli = parse_quantity_milli(text);
  if (!milli) return head + std::string(text);
  return head + metric_text(metric, static_cast<double>(*milli) / 1000.0);
}

// As k8s.io/apimachinery/pkg/util/duration.HumanDuration.
std::string age_text(Duration age) {
  const auto s = std::max<std::int64_t>(duration_cast<seconds>(age).count(), 0);
  const auto m = s / 60;
  const auto h = m / 60;
  if (s < 120) return count(s, "s");
  if (m < 10) return with_rest(m, "m", s % 60, "s");
  if (h < 3) return count(m, "m");
  if (h < 8) return with_rest(h, "h", m % 60, "m");
  if (h < 48) return count(h, "h");
  if (h < 192) return with_rest(h / 24, "d", h % 24, "h");
  return count(h / 24, "d");
}

std::string span_text(Duration span) {
  if (span >= hours(1) && span % hours(1) == Duration(0)) return count(span / hours(1), "h");
  if (span >= minutes(2) && span % minutes(1) == Duration(0)) return count(span / minutes(1), "m");
  return format_duration(span);
}

Duration age_of(WallTime time, WallTime now) { return std::max(now - time, Duration(0)); }

}  // namespace mcpfleet::kubectl
