// Where histories outlive the program.
#pragma once

#include <optional>

#include "metrics-adapter/history/redis_records.h"
#include "metrics/history.h"

namespace mcpfleet::adapter {

// Takes what is to be kept and never waits. Thread safety: any thread.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual void keep(const metrics::HistoryKey& key, WallTime at,
                    const metrics::Reading& reading) = 0;
  virtual void keep(const metrics::HistoryKey& key, const MinuteOfAll& minute, bool whole) = 0;
  virtual void forget(const metrics::HistoryKey& key, std::optional<metrics::Metric> metric,
                      WallTime now) = 0;
  // Asks for what is there of an object; it comes to HistoryBook::restore(), sooner or later.
  virtual void want(const metrics::HistoryKey& key) = 0;
};

}  // namespace mcpfleet::adapter
