#include "scaling/forecast.h"

#include <algorithm>

namespace mcpfleet::scaling {
namespace {

// Today is taken to be at most so much above or below the same time one season ago.
constexpr double kMostTrend = 2;

}  // namespace

void SeasonalForecast::configure(const Forecast& forecast, Signal signal) {
  if (!parts_.empty() && season_ == forecast.season && signal_ == signal) return;
  season_ = forecast.season;
  signal_ = signal;
  width_ = std::max<Duration>(season_ / static_cast<int>(kParts), std::chrono::seconds(1));
  parts_.assign(kParts, {});
  started_ = false;
  looked_ = false;
}

std::size_t SeasonalForecast::place(std::int64_t part) const {
  constexpr auto kCount = static_cast<std::int64_t>(kParts);
  return static_cast<std::size_t>(((part % kCount) + kCount) % kCount);
}

void SeasonalForecast::turn_to(WallTime now) {
  if (started_ && now >= part_start_ && now - part_start_ < width_) return;
  if (started_ && count_ > 0) {
    Part& part = parts_[place(part_)];
    const double mean = sum_ / count_;
    part.mean = part.known ? (part.mean + mean) / 2 : mean;
    part.known = true;
  }
  const std::int64_t time = now.time_since_epoch().count();
  part_ = time / width_.count() - static_cast<std::int64_t>(time % width_.count() < 0);
  part_start_ = WallTime(width_ * part_);
  started_ = true;
  looked_ = false;
  sum_ = 0;
  count_ = 0;
}

void SeasonalForecast::observe(double load, WallTime now) {
  if (parts_.empty()) return;
  turn_to(now);
  sum_ += load;
  ++count_;
}

void SeasonalForecast::look_ahead(const Forecast& forecast) {
  looked_ = true;
  lookahead_ = forecast.lookahead;
  const Part& here = parts_[place(part_)];
  here_ = here.known ? here.mean : 0;
  ahead_ = 0;
  const std::int64_t reach = std::clamp<std::int64_t>(
      (lookahead_.count() + width_.count() - 1) / width_.count(), 0, kParts - 1);
  for (std::int64_t i = 1; i <= reach; ++i) {
    const Part& part = parts_[place(part_ + i)];
    if (part.known) ahead_ = std::max(ahead_, part.mean);
  }
}

double SeasonalForecast::load(const Forecast& forecast, double load, WallTime now) {
  if (parts_.empty()) return 0;
  turn_to(now);
  if (!looked_ || lookahead_ != forecast.lookahead) look_ahead(forecast);
  const double trend = here_ > 0 ? std::clamp(load / here_, 1 / kMostTrend, kMostTrend) : 1;
  return ahead_ * trend;
}

}  // namespace mcpfleet::scaling
