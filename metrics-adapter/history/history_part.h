// All of the program that has to do with the past.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "metrics-adapter/history/history_api.h"
#include "metrics-adapter/history/history_book.h"
#include "metrics-adapter/history/history_metrics.h"
#include "metrics-adapter/history/history_options.h"
#include "metrics-adapter/history/recorder.h"
#include "metrics-adapter/history/redis_archive.h"
#include "metrics-adapter/own_metrics.h"
#include "metrics-adapter/roster.h"
#include "metrics-adapter/worker_pool.h"

namespace mcpfleet::adapter {

// Thread safety: api() from any thread, the rest from one.
class HistoryPart {
 public:
  HistoryPart(const HistoryOptions& options, Duration scrape_interval, metrics::Terms terms,
              const Roster& roster, const Clock& clock, OwnMetrics& metrics);

  ~HistoryPart();
  HistoryPart(const HistoryPart&) = delete;
  HistoryPart& operator=(const HistoryPart&) = delete;

  // From now on the past is written down.
  void start();

  // Null: nothing is kept.
  const HistoryApi* api() const { return options_.enabled ? &api_ : nullptr; }

 private:
  Duration record();
  bool pause();

  const HistoryOptions options_;
  const Clock& clock_;
  HistoryMetrics metrics_;
  HistoryBook book_;
  HistoryApi api_{book_};
  std::atomic<bool> ending_{false};
  Recorder recorder_;
  std::unique_ptr<RedisArchive> archive_;  // null: no Redis; used by the loop
  std::optional<Periodic> loop_;
};

}  // namespace mcpfleet::adapter
