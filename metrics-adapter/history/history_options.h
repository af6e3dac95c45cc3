// What of the past is kept, and where.
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "metrics-adapter/history/redis_url.h"
#include "metrics/history.h"

namespace mcpfleet::adapter {

struct HistoryOptions {
  bool enabled = true;
  bool details = true;                             // of pods and tools, too
  Duration fine = std::chrono::minutes(5);         // each reading
  Duration raw = std::chrono::hours(1);            // one reading of five seconds
  Duration minutes = std::chrono::hours(24);       // aggregates
  std::size_t max_bytes = std::size_t{256} << 20;  // in memory, of all together
  RedisAddress redis;                              // without a host: in memory only
  std::string redis_key_prefix = "mcpfleet:history:";
};

// The limits of the store, for pods that are scraped once an interval.
metrics::HistoryLimits limits_of(const HistoryOptions& options, Duration scrape_interval);

}  // namespace mcpfleet::adapter
