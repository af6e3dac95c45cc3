// Scrapes every pod once an interval, spread over it, and keeps what came of it in the pod's
// record.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"
#include "metrics-adapter/demand.h"
#include "metrics-adapter/own_metrics.h"
#include "metrics-adapter/roster.h"
#include "metrics/exposition_parser.h"

namespace mcpfleet::adapter {

struct ScraperOptions {
  Duration interval = std::chrono::seconds(1);
  Duration window = std::chrono::seconds(30);
  Duration max_age = std::chrono::seconds(10);
  metrics::ExpositionLimits limits;
  std::size_t max_series = 200'000;  // of names that are asked for, of all pods
};

// A pod that hangs, answers garbage or too much costs only its own data: its failure is kept, in
// words, until a scrape succeeds, and is logged once. At most one scrape of a pod is under way; it
// is given up after 9/10 of the interval.
// Thread safety: warm() from any thread; the work is done on threads of its own.
class Scraper {
 public:
  static Result<std::unique_ptr<Scraper>> start(ScraperOptions options, const Clock& clock,
                                                Roster& roster, Demand& demand,
                                                OwnMetrics& metrics);
  ~Scraper();

  // True once every pod that was there at the start has had two turns, so that rates exist: a new
  // replica that answers earlier would make HPAs see errors during a rolling update.
  bool warm() const { return warm_.load(); }

  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;

 private:
  struct Due {
    MonotonicTime at;
    std::shared_ptr<PodRecord> record;
    bool operator>(const Due& other) const { return at > other.at; }
  };

  Scraper(ScraperOptions options, const Clock& clock, Roster& roster, Demand& demand,
          OwnMetrics& metrics, std::unique_ptr<http::Client> client);
  void run();
  void take_snapshot(MonotonicTime now);
  void note_warm(MonotonicTime now);
  void scrape_due(MonotonicTime now);
  MonotonicTime next_turn(const std::string& uid, MonotonicTime now) const;
  void scrape(const PodEntry& entry);
  void finish(const PodEntry& entry, MonotonicTime started, const Result<http::Response>& response);
  Result<metrics::Sample> read(const PodEntry& entry, const std::string& body);
  Result<metrics::Sample> read_text(const PodEntry& entry, std::string_view text);
  Result<std::string_view> read_past(const PodEntry& entry, std::string_view body);
  void note_kept(const PodEntry& entry);
  metrics::PodView add_to_window(PodRecord& record, metrics::Sample sample);
  void succeed(const PodEntry& entry, metrics::Sample sample);
  void fail_with(const PodEntry& entry, std::string failure);

  // Constant after construction.
  const ScraperOptions options_;
  const Clock& clock_;
  Roster& roster_;
  Demand& demand_;
  OwnMetrics& metrics_;
  // Used by the thread only.
  std::shared_ptr<const Snapshot> taken_ = std::make_shared<const Snapshot>();  // is scraped
  std::priority_queue<Due, std::vector<Due>, std::greater<>> queue_;
  std::optional<MonotonicTime> complete_since_;

  std::atomic<bool> warm_{false};
  std::atomic<std::size_t> kept_series_{0};  // of all pods
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};  // written under mutex_, so that no wake-up is lost

  std::unique_ptr<http::Client> client_;  // destroyed before what its callbacks use
  std::thread thread_;
};

}  // namespace mcpfleet::adapter
