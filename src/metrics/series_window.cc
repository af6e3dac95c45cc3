#include "metrics/series_window.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::metrics {
namespace {

// Points nearer to each other than this part of the window are one: a window's ends are then off by
// no more than that.
constexpr int kPointsInWindow = 16;

}  // namespace

std::optional<std::string> SeriesId::text_of(const SeriesView& series) {
  std::string text(series.name);
  std::size_t parts = 1;
  for (const auto& label : series.labels) {
    text += '\0';
    text += label.name;
    text += '\0';
    text += unescape_label(label.raw_value);
    parts += 2;
  }
  text += '\0';
  if (static_cast<std::size_t>(std::ranges::count(text, '\0')) != parts) return std::nullopt;
  return text;
}

std::optional<std::string_view> SeriesId::label(std::string_view wanted) const {
  std::size_t at = name().size() + 1;
  while (at < text_.size()) {
    const std::string_view label = text_.c_str() + at;
    const std::string_view value = text_.c_str() + at + label.size() + 1;
    if (label == wanted) return value;
    at += label.size() + value.size() + 2;
  }
  return std::nullopt;
}

void SeriesWindow::begin(MonotonicTime at, std::shared_ptr<const WantedSeries> wanted,
                         std::size_t most) {
  at_ = at;
  wanted_ = std::move(wanted);
  most_ = most;
  refused_ = 0;
  if (!last_at_ || at - *last_at_ <= window_) return;
  series_.clear();
  last_at_.reset();
}

void SeriesWindow::take(const SeriesView& series) {
  if (!wanted_ || !wanted_->contains(series.name)) return;
  auto text = SeriesId::text_of(series);
  if (!text) return;
  auto found = series_.find(*text);
  if (found == series_.end()) {
    if (series_.size() >= most_) {
      ++refused_;
      return;
    }
    auto id = std::make_shared<const SeriesId>(std::move(*text));
    const auto key = id->text();
    found = series_.emplace(key, Series{std::move(id), 0, {}, at_}).first;
    // Not there at the last scrape, though it would have been kept: it began at zero since.
    if (last_at_ && last_wanted_ && last_wanted_->contains(series.name))
      found->second.points.push_back({*last_at_, 0});
  }
  rise(found->second, series.value);
}

// A value that fell is a counter that began again at zero.
void SeriesWindow::rise(Series& series, double value) {
  series.seen = at_;
  auto& points = series.points;
  double risen = points.empty() ? 0 : points.back().risen;
  if (!points.empty() && std::isfinite(value) && std::isfinite(series.value))
    risen += value >= series.value ? value - series.value : value;
  series.value = value;
  const auto apart = window_ / kPointsInWindow;
  if (points.size() >= 2 && at_ - points[points.size() - 2].at < apart) {
    points.back() = {at_, risen};
  } else {
    points.push_back({at_, risen});
  }
  const auto inside =
      std::ranges::find_if(points, [this](const Point& point) { return point.at > at_ - window_; });
  if (inside - points.begin() > 1) points.erase(points.begin(), inside - 1);
}

void SeriesWindow::end() {
  std::erase_if(series_, [this](const auto& entry) { return entry.second.seen != at_; });
  last_at_ = at_;
  last_wanted_ = wanted_;
}

SeriesStates SeriesWindow::states() const {
  SeriesStates states;
  states.reserve(series_.size());
  for (const auto& [text, series] : series_) {
    const auto& first = series.points.front();
    const auto& last = series.points.back();
    states.push_back({series.id, series.value, last.risen - first.risen, last.at - first.at});
  }
  std::ranges::sort(states,
                    [](const auto& a, const auto& b) { return a.id->text() < b.id->text(); });
  return states;
}

}  // namespace mcpfleet::metrics
