// The past of one object's metrics: readings of the last hour and an aggregate of each minute of
// the last day, in bounded memory.
//
// Source: RealTimeMetrics of seed 000 has the same two (samples for an hour, minutes for a day).
// What was not measured is absent, never zero.
// Memory, by the default shape: 18 kB at most for each metric that changes, after a day 1.2 kB for
// one that does not, none for one without values. It is taken as time passes.
// Thread safety: a plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "metrics/answer.h"
#include "metrics/compact_value.h"
#include "metrics/slot_ring.h"

namespace mcpfleet::metrics {

// How much is kept of an object. A span of 0 keeps nothing of that kind.
struct HistoryShape {
  Duration step = std::chrono::seconds(1);         // readings come this often
  Duration fine_span = std::chrono::minutes(5);    // for which each of them is kept
  Duration coarse_step = std::chrono::seconds(5);  // of which, after that, one is kept
  Duration coarse_span = std::chrono::hours(1);    // for so long
  Duration minutes_span = std::chrono::hours(24);  // for which minutes are kept

  bool operator==(const HistoryShape&) const = default;
};

// All metrics at one moment; those that had no value are absent. By Metric.
using Reading = std::array<std::optional<double>, kMetricCount>;

struct HistorySample {
  WallTime at;  // of the slot that it stands for: a multiple of the step
  double value = 0;

  bool operator==(const HistorySample&) const = default;
};

// Of some samples. Nothing but `count` means anything where that is 0.
struct Aggregate {
  std::uint32_t count = 0;
  double sum = 0;
  double min = 0;
  double max = 0;
  double last = 0;

  void add(double value);
  void add(const Aggregate& later);
  double mean() const { return sum / count; }
  bool operator==(const Aggregate&) const = default;
};

struct MinuteAggregate {
  WallTime at;  // its beginning
  Aggregate of;

  bool operator==(const MinuteAggregate&) const = default;
};

enum class Resolution { Raw, Minute };

struct WindowAggregate {
  Aggregate of;
  Duration step{0};  // what one sample of it stands for
};

struct EndedMinute {
  WallTime at;         // its beginning
  bool whole = false;  // seen from its beginning on; not so the first one of an object
};

// What a reading completed, for those who keep histories elsewhere, too.
struct Recorded {
  bool coarse = false;                // it is the one of its coarse step
  std::optional<EndedMinute> minute;  // the one before, which ended with it
};

class ObjectHistory {
 public:
  explicit ObjectHistory(const HistoryShape& shape) : shape_(shape) {}

  // Takes a reading. Only the first of each step counts, so that one may come twice. A clock that
  // went back by more than a minute starts everything over, one that went back by less is waited
  // for.
  Recorded record(WallTime at, const Reading& reading);

  // Fills in what was recorded by somebody else, where nothing is known yet.
  void restore(WallTime at, const Reading& reading);
  void restore(Metric metric, const MinuteAggregate& minute);

  // All with from <= at <= to, in order: one a coarse step, and one a step where that is kept.
  std::vector<HistorySample> samples(Metric metric, WallTime from, WallTime to) const;
  // Those that begin in [from, to], in order; the minute that is under way is the last one.
  std::vector<MinuteAggregate> minutes(Metric metric, WallTime from, WallTime to) const;
  // Over the samples, all of one step: the finest that reaches back to `from`, or as far back as
  // any does; or over the minutes.
  WindowAggregate aggregate(Metric metric, WallTime from, WallTime to, Resolution by) const;

  void reset(Metric metric);

  // Of the last reading, own or restored; nullopt: there was none.
  std::optional<WallTime> newest() const;
  std::size_t bytes() const;
  // What an object of a shape can take at most.
  static std::size_t most_bytes(const HistoryShape& shape);

 private:
  using Slot = std::int64_t;

  // A minute in ten bytes; the sum is the mean times the count.
  struct MinuteCell {
    std::uint16_t count = 0;
    CompactValue mean, min, max, last;

    static MinuteCell of(const Aggregate& aggregate);
    Aggregate get() const;
    bool operator==(const MinuteCell&) const = default;
  };

  // What only objects with a fine span or minutes have; pods and tools have neither.
  struct Whole {
    explicit Whole(const HistoryShape& shape);

    SlotRing<CompactValue> fine;
    SlotRing<MinuteCell> minutes;
    Aggregate open;  // of the minute that is under way
  };
  struct Series {
    Series(Metric of, const HistoryShape& shape);

    std::size_t bytes() const;  // beyond its own

    Metric metric;
    SlotRing<CompactValue> coarse;
    std::unique_ptr<Whole> whole;  // null: there is none
  };

  Series& series_of(std::size_t metric);
  const Series* find(Metric metric) const;
  void end_minute();
  void note_restored(WallTime at);
  // Where the fine samples begin; the coarse ones are before.
  WallTime fine_from(const Series& series) const;

  HistoryShape shape_;
  std::optional<Slot> newest_;  // by steps
  Slot coarse_ = -1;            // the last coarse step that has its reading
  Slot minute_ = -1;            // the one that is under way
  bool whole_ = false;          // it was seen from its beginning on
  std::vector<Series> series_;  // of the metrics that had a value once
};

}  // namespace mcpfleet::metrics
