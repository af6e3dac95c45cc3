// Histories in a Redis, written and read on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "metrics-adapter/history/archive.h"
#include "metrics-adapter/history/history_metrics.h"
#include "metrics-adapter/history/redis_connection.h"

namespace mcpfleet::adapter {

struct RedisArchiveOptions {
  RedisAddress address;
  std::string key_prefix = "mcpfleet:history:";
  Duration readings = std::chrono::hours(1);
  Duration minutes = std::chrono::hours(24);
  Duration timeout = std::chrono::seconds(1);  // of connecting, and of each answer
  std::size_t max_waiting = 20'000;            // readings and minutes
  Backoff backoff{std::chrono::milliseconds(200), std::chrono::seconds(5)};
};

// While Redis is away readings wait, and those for which there is no place are let go; what Redis
// refuses is let go, too. Both are counted, and each outage is one line in the log.
// Thread safety: any thread; nothing waits for Redis but the destructor, which writes what is left
// as long as Redis takes it, for at most two timeouts.
class RedisArchive final : public Archive {
 public:
  using Restore = std::function<void(const metrics::HistoryKey& key, const RestoredHistory& kept)>;

  RedisArchive(RedisArchiveOptions options, const Clock& clock, HistoryMetrics& metrics,
               Restore restore);
  ~RedisArchive() override;
  RedisArchive(const RedisArchive&) = delete;
  RedisArchive& operator=(const RedisArchive&) = delete;

  void keep(const metrics::HistoryKey& key, WallTime at, const metrics::Reading& reading) override;
  void keep(const metrics::HistoryKey& key, const MinuteOfAll& minute, bool whole) override;
  void forget(const metrics::HistoryKey& key, std::optional<metrics::Metric> metric,
              WallTime now) override;
  void want(const metrics::HistoryKey& key) override;

 private:
  using Record = std::vector<RedisCommand>;

  void enqueue(Record record);
  void run();
  // The next step of the thread; how long to wait before another one, if anything went wrong.
  std::optional<Duration> step();
  std::optional<Duration> failed(const Error& error);
  void worked();
  void take_work();
  Result<void> work();
  Result<void> write_batch();
  Result<void> load_one();
  bool is_idle() const;

  // Constant after construction.
  const RedisArchiveOptions options_;
  const RedisRecords records_;
  const Clock& clock_;
  HistoryMetrics& metrics_;
  const Restore restore_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Record> waiting_;              // protected by mutex_
  std::deque<metrics::HistoryKey> wanted_;  // protected by mutex_
  bool told_dropped_ = false;               // protected by mutex_
  bool stopping_ = false;                   // protected by mutex_

  // Used by the thread only.
  std::unique_ptr<RedisConnection> connection_;
  std::vector<Record> batch_;  // sent, or to be sent again
  std::optional<metrics::HistoryKey> loading_;
  int failures_ = 0;
  bool told_failing_ = false;

  std::thread thread_;
};

}  // namespace mcpfleet::adapter
