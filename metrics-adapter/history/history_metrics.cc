#include "metrics-adapter/history/history_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include "metrics-adapter/new_metric.h"

namespace mcpfleet::adapter {

HistoryMetrics::HistoryMetrics(prometheus::Registry& registry)
    : objects_(new_gauge(registry, "mcpfleet_adapter_history_objects",
                         "MCPServers, pods and tools whose past is kept.")),
      bytes_(new_gauge(registry, "mcpfleet_adapter_history_bytes", "Bytes that histories take.")),
      reserved_(new_gauge(registry, "mcpfleet_adapter_history_reserved_bytes",
                          "Bytes that the histories there are can take at most.")),
      refused_(
          new_counter(registry, "mcpfleet_adapter_history_refused_total",
                      "Readings that were not kept, since there is no room for their object.")),
      redis_up_(new_gauge(registry, "mcpfleet_adapter_history_redis_up",
                          "1 while Redis takes histories; 0 also where there is none.")),
      redis_queue_(new_gauge(registry, "mcpfleet_adapter_history_redis_queue",
                             "Readings and minutes that wait for Redis.")),
      redis_written_(new_counter(registry, "mcpfleet_adapter_history_redis_written_total",
                                 "Readings and minutes that Redis took.")),
      redis_dropped_(
          new_counter(registry, "mcpfleet_adapter_history_redis_dropped_total",
                      "Readings and minutes that Redis did not get: it refused them, or the "
                      "queue was full.")),
      redis_errors_(new_counter(registry, "mcpfleet_adapter_history_redis_errors_total",
                                "Failed attempts to reach Redis, and batches that it refused.")) {}

void HistoryMetrics::set_size(std::size_t objects, std::size_t bytes, std::size_t reserved) {
  objects_->Set(static_cast<double>(objects));
  bytes_->Set(static_cast<double>(bytes));
  reserved_->Set(static_cast<double>(reserved));
}

void HistoryMetrics::count_refused() { refused_->Increment(); }

void HistoryMetrics::set_redis_up(bool up) { redis_up_->Set(up ? 1 : 0); }

void HistoryMetrics::set_redis_queue(std::size_t waiting) {
  redis_queue_->Set(static_cast<double>(waiting));
}

void HistoryMetrics::count_redis_written(std::size_t records) {
  redis_written_->Increment(static_cast<double>(records));
}

void HistoryMetrics::count_redis_dropped(std::size_t records) {
  redis_dropped_->Increment(static_cast<double>(records));
}

void HistoryMetrics::count_redis_error() { redis_errors_->Increment(); }

}  // namespace mcpfleet::adapter
