#include "metrics/object_history.h"

#include <algorithm>
#include <limits>

namespace mcpfleet::metrics {
namespace {

constexpr Duration kMinute = std::chrono::minutes(1);

std::int64_t slot_of(WallTime at, Duration step) { return at.time_since_epoch() / step; }

WallTime time_of(std::int64_t slot, Duration step) { return WallTime{slot * step}; }

// The first slot that begins at `from` or later.
std::int64_t first_slot(WallTime from, Duration step) {
  const auto since = std::max(from.time_since_epoch(), Duration{0});
  return (since + step - Duration{1}) / step;
}

std::size_t slots_in(Duration span, Duration step) {
  return static_cast<std::size_t>((span + step - Duration{1}) / step);
}

bool is_whole(const HistoryShape& shape) {
  return shape.fine_span > Duration{0} || shape.minutes_span > Duration{0};
}

// Calls with the time and cell of each slot of [from, to] that has something.
template <typename Cell, typename Visit>
void visit(const SlotRing<Cell>& ring, Duration step, WallTime from, WallTime to,
           const Visit& call) {
  const auto oldest = ring.oldest();
  if (!oldest) return;
  const auto last = std::min(slot_of(to, step), *ring.newest());
  for (auto slot = std::max(first_slot(from, step), *oldest); slot <= last; ++slot)
    if (const auto cell = ring.get(slot); cell != Cell{}) call(time_of(slot, step), cell);
}

}  // namespace

void Aggregate::add(double value) { add(Aggregate{1, value, value, value, value}); }

void Aggregate::add(const Aggregate& later) {
  if (later.count == 0) return;
  if (count == 0) {
    *this = later;
    return;
  }
  count += later.count;
  sum += later.sum;
  min = std::min(min, later.min);
  max = std::max(max, later.max);
  last = later.last;
}

ObjectHistory::MinuteCell ObjectHistory::MinuteCell::of(const Aggregate& aggregate) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint16_t>::max();
  MinuteCell cell;
  if (aggregate.count == 0) return cell;
  cell.count = static_cast<std::uint16_t>(std::min(aggregate.count, kMost));
  cell.mean = CompactValue::of(aggregate.mean());
  cell.min = CompactValue::of(aggregate.min);
  cell.max = CompactValue::of(aggregate.max);
  cell.last = CompactValue::of(aggregate.last);
  return cell;
}

Aggregate ObjectHistory::MinuteCell::get() const {
  return {count, mean.get().value_or(0) * count, min.get().value_or(0), max.get().value_or(0),
          last.get().value_or(0)};
}

ObjectHistory::Whole::Whole(const HistoryShape& shape)
    : fine(slots_in(shape.fine_span, shape.step)), minutes(slots_in(shape.minutes_span, kMinute)) {}

ObjectHistory::Series::Series(Metric of, const HistoryShape& shape)
    : metric(of), coarse(slots_in(shape.coarse_span, shape.coarse_step)) {
  if (is_whole(shape)) whole = std::make_unique<Whole>(shape);
}

std::size_t ObjectHistory::Series::bytes() const {
  return coarse.bytes() +
         (whole ? sizeof(Whole) + whole->fine.bytes() + whole->minutes.bytes() : 0);
}

const ObjectHistory::Series* ObjectHistory::find(Metric metric) const {
  const auto found = std::ranges::find(series_, metric, &Series::metric);
  return found == series_.end() ? nullptr : &*found;
}

ObjectHistory::Series& ObjectHistory::series_of(std::size_t metric) {
  const auto of = static_cast<Metric>(metric);
  if (const auto found = std::ranges::find(series_, of, &Series::metric); found != series_.end())
    return *found;
  series_.reserve(series_.size() + 1);  // most objects have some, and none has many
  return series_.emplace_back(of, shape_);
}

void ObjectHistory::reset(Metric metric) {
  std::erase_if(series_, [metric](const Series& series) { return series.metric == metric; });
}

Recorded ObjectHistory::record(WallTime at, const Reading& reading) {
  const Slot slot = slot_of(at, shape_.step);
  if (newest_ && slot <= *newest_) {
    if (time_of(*newest_, shape_.step) - at <= kMinute) return {};
    *this = ObjectHistory(shape_);
  }
  newest_ = slot;
  Recorded recorded;
  if (const Slot minute = slot_of(at, kMinute); minute != minute_) {
    if (minute_ >= 0) recorded.minute = EndedMinute{time_of(minute_, kMinute), whole_};
    whole_ = minute_ >= 0;
    end_minute();
    minute_ = minute;
  }
  const Slot coarse = slot_of(at, shape_.coarse_step);
  recorded.coarse = coarse != coarse_;
  coarse_ = coarse;
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    if (!reading[i]) continue;
    auto& series = series_of(i);
    const auto value = CompactValue::of(*reading[i]);
    if (recorded.coarse) series.coarse.put(coarse, value);
    if (!series.whole) continue;
    series.whole->fine.put(slot, value);
    series.whole->open.add(*reading[i]);
  }
  return recorded;
}

void ObjectHistory::end_minute() {
  for (auto& series : series_) {
    if (!series.whole || series.whole->open.count == 0) continue;
    series.whole->minutes.put(minute_, MinuteCell::of(series.whole->open));
    series.whole->open = {};
  }
}

void ObjectHistory::restore(WallTime at, const Reading& reading) {
  const Slot slot = slot_of(at, shape_.coarse_step);
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    if (!reading[i]) continue;
    auto& ring = series_of(i).coarse;
    if (ring.get(slot) == CompactValue{}) ring.put(slot, CompactValue::of(*reading[i]));
  }
  note_restored(at);
}

void ObjectHistory::restore(Metric metric, const MinuteAggregate& minute) {
  const Slot slot = slot_of(minute.at, kMinute);
  if (slot == minute_ || minute.of.count == 0) return;
  auto& whole = series_of(static_cast<std::size_t>(metric)).whole;
  if (!whole) return;
  auto& ring = whole->minutes;
  if (ring.get(slot) == MinuteCell{}) ring.put(slot, MinuteCell::of(minute.of));
  note_restored(minute.at);
}

void ObjectHistory::note_restored(WallTime at) {
  newest_ = std::max(newest_.value_or(0), slot_of(at, shape_.step));
}

WallTime ObjectHistory::fine_from(const Series& series) const {
  const auto oldest = series.whole ? series.whole->fine.oldest() : std::nullopt;
  return oldest ? time_of(*oldest, shape_.step) : WallTime::max();
}

std::vector<HistorySample> ObjectHistory::samples(Metric metric, WallTime from, WallTime to) const {
  std::vector<HistorySample> found;
  const auto* series = find(metric);
  if (series == nullptr) return found;
  const auto add = [&found](WallTime at, CompactValue value) {
    found.push_back({at, *value.get()});
  };
  const auto fine = fine_from(*series);
  // A coarse slot that the fine ones begin in holds one of theirs, at a time before it was read.
  if (from < fine)
    visit(series->coarse, shape_.coarse_step, from, std::min(to, fine - shape_.coarse_step), add);
  if (series->whole) visit(series->whole->fine, shape_.step, std::max(from, fine), to, add);
  return found;
}

std::vector<MinuteAggregate> ObjectHistory::minutes(Metric metric, WallTime from,
                                                    WallTime to) const {
  std::vector<MinuteAggregate> found;
  const auto* series = find(metric);
  if (series == nullptr || !series->whole) return found;
  const auto& whole = *series->whole;
  visit(whole.minutes, kMinute, from, to,
        [&found](WallTime at, const MinuteCell& cell) { found.push_back({at, cell.get()}); });
  const auto under_way = time_of(minute_, kMinute);
  if (whole.open.count > 0 && from <= under_way && under_way <= to)
    found.push_back({under_way, whole.open});
  return found;
}

WindowAggregate ObjectHistory::aggregate(Metric metric, WallTime from, WallTime to,
                                         Resolution by) const {
  WindowAggregate result;
  result.step = by == Resolution::Minute ? kMinute : shape_.step;
  const auto* series = find(metric);
  if (series == nullptr) return result;
  const auto add = [&result](WallTime, CompactValue value) { result.of.add(*value.get()); };
  if (by == Resolution::Minute) {
    for (const auto& minute : minutes(metric, from, to)) result.of.add(minute.of);
    return result;
  }
  const auto fine = fine_from(*series);
  const auto coarse = series->coarse.oldest();
  const bool older = coarse && time_of(*coarse + 1, shape_.coarse_step) <= fine;
  if (from >= fine || !older) {
    if (series->whole) visit(series->whole->fine, shape_.step, from, to, add);
  } else {
    result.step = shape_.coarse_step;
    visit(series->coarse, shape_.coarse_step, from, to, add);
  }
  return result;
}

std::optional<WallTime> ObjectHistory::newest() const {
  if (!newest_) return std::nullopt;
  return time_of(*newest_, shape_.step);
}

std::size_t ObjectHistory::bytes() const {
  std::size_t total = series_.capacity() * sizeof(Series);
  for (const auto& series : series_) total += series.bytes();
  return total;
}

std::size_t ObjectHistory::most_bytes(const HistoryShape& shape) {
  const auto series =
      sizeof(Series) + (is_whole(shape) ? sizeof(Whole) : 0) +
      SlotRing<CompactValue>::most_bytes(slots_in(shape.fine_span, shape.step)) +
      SlotRing<CompactValue>::most_bytes(slots_in(shape.coarse_span, shape.coarse_step)) +
      SlotRing<MinuteCell>::most_bytes(slots_in(shape.minutes_span, kMinute));
  return kMetricCount * series;
}

}  // namespace mcpfleet::metrics
