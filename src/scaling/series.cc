#include "scaling/series.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::scaling {

Duration sample_interval(const fleet::Rule& rule) {
  return std::max<Duration>(rule.window / static_cast<int>(kMaxSamples), std::chrono::seconds(1));
}

bool due(const fleet::Rule& rule, std::optional<WallTime> last, WallTime now) {
  const Duration interval = sample_interval(rule);
  return !last || *last > now || now - *last >= interval - interval / 10;
}

void Series::record(const fleet::Rule& rule, const Sample& sample, WallTime now) {
  pull_back(now);
  if (sample.kind == Sample::Kind::Missing) {
    why_missing_ = sample.why;
    return;
  }
  if (sample.kind == Sample::Kind::Value && !std::isfinite(sample.value)) {
    why_missing_ = "the value is not a finite number";
    return;
  }
  why_missing_.clear();
  if (!readings_.empty() && !due(rule, readings_.back().time, now)) return;
  const bool idle = sample.kind == Sample::Kind::Idle;
  readings_.push_back({now, idle ? std::nullopt : std::optional(sample.value)});
  if (readings_.size() > kMaxSamples) readings_.pop_front();
}

Window Series::window(const fleet::Rule& rule, WallTime now) const {
  if (readings_.empty()) return {Window::State::Empty};
  double sum = 0;
  int values = 0;
  const Reading* latest = nullptr;
  for (const Reading& reading : readings_) {
    if (reading.time > now || now - reading.time > rule.window) continue;
    latest = &reading;
    if (!reading.value) continue;
    sum += *reading.value;
    ++values;
  }
  if (latest == nullptr) return {Window::State::Stale};
  if (!latest->value) return {Window::State::Idle};
  return {Window::State::Average, sum / values};
}

void Series::pull_back(WallTime now) {
  while (!readings_.empty() && readings_.back().time > now) readings_.pop_back();
}

}  // namespace mcpfleet::scaling
