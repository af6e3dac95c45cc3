#include "metrics-adapter/history/history_book.h"

#include <vector>

#include "log/log.h"
#include "metrics-adapter/metric_source.h"

namespace mcpfleet::adapter {
namespace {

using metrics::HistoryKey;

bool is_archived(const HistoryKey& key) {
  return key.resource == kServersResource && !key.is_tool();
}

MinuteOfAll minute_of_all(const metrics::ObjectHistory& object, WallTime at) {
  MinuteOfAll minute{at, {}};
  for (std::size_t i = 0; i < metrics::kMetricCount; ++i) {
    const auto found = object.minutes(static_cast<metrics::Metric>(i), at, at);
    if (!found.empty()) minute.of[i] = found.front().of;
  }
  return minute;
}

}  // namespace

void HistoryBook::record(const HistoryKey& key, WallTime at, const metrics::Reading& reading) {
  std::lock_guard lock(mutex_);
  const auto recorded = history_.record(key, at, reading);
  if (!recorded) return tell_refused(key, recorded.error());
  if (archive_ != nullptr && is_archived(key)) archive_reading(key, at, reading, *recorded);
}

void HistoryBook::archive_reading(const HistoryKey& key, WallTime at,
                                  const metrics::Reading& reading,
                                  const metrics::Recorded& recorded) {
  const auto step = limits_.whole.coarse_step;
  if (recorded.coarse) archive_->keep(key, WallTime{at.time_since_epoch() / step * step}, reading);
  if (!recorded.minute || limits_.whole.minutes_span <= Duration{0}) return;
  if (const auto* object = history_.find(key))
    archive_->keep(key, minute_of_all(*object, recorded.minute->at), recorded.minute->whole);
}

// Tools beyond those that are kept of a server are ordinary; a store that is full is not.
void HistoryBook::tell_refused(const HistoryKey& key, const Error& error) {
  metrics_.count_refused();
  if (told_refused_ || key.is_tool()) return;
  told_refused_ = true;
  log::warn(
      "the past of new objects is not kept",
      {{"object", key.resource + " " + key.namespace_ + "/" + key.name}, {"error", error.message}});
}

void HistoryBook::restore(const HistoryKey& key, const RestoredHistory& kept, WallTime now) {
  if (kept.readings.empty() && kept.minutes.empty()) return;
  std::lock_guard lock(mutex_);
  auto object = history_.open(key);
  if (!object) return tell_refused(key, object.error());
  // What another clock wrote ahead of ours would keep our own readings out.
  for (const auto& [at, reading] : kept.readings)
    if (at <= now) (*object)->restore(at, reading);
  for (const auto& minute : kept.minutes)
    for (std::size_t i = 0; i < metrics::kMetricCount; ++i)
      if (minute.at <= now)
        (*object)->restore(static_cast<metrics::Metric>(i), {minute.at, minute.of[i]});
}

void HistoryBook::want(const HistoryKey& key) {
  if (archive_ != nullptr && is_archived(key)) archive_->want(key);
}

std::size_t HistoryBook::reset(const metrics::HistorySelection& of,
                               std::optional<metrics::Metric> metric, WallTime now) {
  std::lock_guard lock(mutex_);
  if (archive_ != nullptr)
    history_.visit(of, [&](const HistoryKey& key, const metrics::ObjectHistory&) {
      if (is_archived(key)) archive_->forget(key, metric, now);
    });
  return history_.reset(of, metric);
}

void HistoryBook::tidy(WallTime now) {
  std::lock_guard lock(mutex_);
  if (history_.forget_idle(now) > 0) told_refused_ = false;
  metrics_.set_size(history_.objects(), history_.bytes(), history_.reserved_bytes());
}

}  // namespace mcpfleet::adapter
