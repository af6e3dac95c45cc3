// The histories of the running program: one store, and what outlives it.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "metrics-adapter/history/archive.h"
#include "metrics-adapter/history/history_metrics.h"
#include "metrics/history.h"

namespace mcpfleet::adapter {

// Thread safety: any thread. Answers about the present never come here, so that nobody who reads
// the past can slow them.
class HistoryBook {
 public:
  // Of pods and tools nothing is archived: what is kept of them is minutes old.
  HistoryBook(const metrics::HistoryLimits& limits, HistoryMetrics& metrics)
      : limits_(limits), metrics_(metrics), history_(limits) {}

  // Before anything is recorded; null: nothing outlives the program.
  void use(Archive* archive) { archive_ = archive; }

  // What cannot be kept is counted, and the first time logged.
  void record(const metrics::HistoryKey& key, WallTime at, const metrics::Reading& reading);
  void restore(const metrics::HistoryKey& key, const RestoredHistory& kept, WallTime now);
  // Asks the archive for what there is of an object.
  void want(const metrics::HistoryKey& key);
  // Forgets in memory and in the archive; the number of objects.
  std::size_t reset(const metrics::HistorySelection& of, std::optional<metrics::Metric> metric,
                    WallTime now);
  // Forgets what is too old, and measures. About once a minute.
  void tidy(WallTime now);

  // Calls read(const History&) while nothing changes.
  template <typename Read>
  auto read(const Read& call) const {
    std::lock_guard lock(mutex_);
    return call(history_);
  }
  const metrics::HistoryLimits& limits() const { return limits_; }

 private:
  void archive_reading(const metrics::HistoryKey& key, WallTime at, const metrics::Reading& reading,
                       const metrics::Recorded& recorded);
  void tell_refused(const metrics::HistoryKey& key, const Error& error);

  const metrics::HistoryLimits limits_;
  HistoryMetrics& metrics_;
  Archive* archive_ = nullptr;
  mutable std::mutex mutex_;
  metrics::History history_;   // protected by mutex_
  bool told_refused_ = false;  // protected by mutex_
};

}  // namespace mcpfleet::adapter
