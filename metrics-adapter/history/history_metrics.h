// The adapter's own metrics of histories.
#pragma once

#include <cstddef>

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace mcpfleet::adapter {

// Thread safety: any thread.
class HistoryMetrics {
 public:
  explicit HistoryMetrics(prometheus::Registry& registry);

  void set_size(std::size_t objects, std::size_t bytes, std::size_t reserved);
  void count_refused();  // a reading of an object for which there is no room
  void set_redis_up(bool up);
  void set_redis_queue(std::size_t waiting);
  void count_redis_written(std::size_t records);
  void count_redis_dropped(std::size_t records);
  void count_redis_error();

 private:
  prometheus::Gauge* objects_;
  prometheus::Gauge* bytes_;
  prometheus::Gauge* reserved_;
  prometheus::Counter* refused_;
  prometheus::Gauge* redis_up_;
  prometheus::Gauge* redis_queue_;
  prometheus::Counter* redis_written_;
  prometheus::Counter* redis_dropped_;
  prometheus::Counter* redis_errors_;
};

}  // namespace mcpfleet::adapter
