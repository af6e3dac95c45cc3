// Series of any name that one pod exposes, over the last seconds: only those that somebody asked
// for, and no more than a bound.
//
// Thread safety: SeriesWindow is for one thread at a time; SeriesStates never change.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "metrics/exposition_parser.h"

namespace mcpfleet::metrics {

// Names of series that are kept.
using WantedSeries = std::set<std::string, std::less<>>;

// A series' name and labels.
class SeriesId {
 public:
  // The text that tells it from all others: the name, then each label's name and value, decoded,
  // with a NUL after each. nullopt: one of them holds a NUL.
  static std::optional<std::string> text_of(const SeriesView& series);

  explicit SeriesId(std::string text) : text_(std::move(text)) {}

  std::string_view text() const { return text_; }
  std::string_view name() const { return text_.c_str(); }
  std::optional<std::string_view> label(std::string_view wanted) const;

 private:
  std::string text_;
};

struct SeriesState {
  std::shared_ptr<const SeriesId> id;
  double value = 0;     // at the last scrape; may be NaN or infinite
  double increase = 0;  // of a counter, over `covered`; restarts do not show as a fall
  Duration covered{0};  // 0: seen once
};

// Ordered by name.
using SeriesStates = std::vector<SeriesState>;

// Memory: about 700 bytes a series, whatever the window.
class SeriesWindow {
 public:
  explicit SeriesWindow(Duration window) : window_(window) {}

  // A scrape begins; `at` never goes back. Of what take() is shown, series with a wanted name are
  // kept, as long as they are no more than `most`.
  void begin(MonotonicTime at, std::shared_ptr<const WantedSeries> wanted, std::size_t most);
  void take(const SeriesView& series);
  // The scrape was read to its end: what was not in it is forgotten. Without this call the next
  // begin() starts over from the scrape before.
  void end();

  SeriesStates states() const;
  std::size_t size() const { return series_.size(); }
  // How many series of the last scrape found no room.
  std::size_t refused() const { return refused_; }

 private:
  struct Point {
    MonotonicTime at;
    double risen = 0;  // since the series was first seen
  };
  struct Series {
    std::shared_ptr<const SeriesId> id;
    double value = 0;
    std::vector<Point> points;  // the first one may be from before the window
    MonotonicTime seen;
  };

  void rise(Series& series, double value);

  const Duration window_;
  MonotonicTime at_;
  std::shared_ptr<const WantedSeries> wanted_;
  std::size_t most_ = 0;
  std::size_t refused_ = 0;
  // Of the last scrape that was read to its end.
  std::optional<MonotonicTime> last_at_;
  std::shared_ptr<const WantedSeries> last_wanted_;
  std::unordered_map<std::string_view, Series> series_;  // by the id's text
};

}  // namespace mcpfleet::metrics
