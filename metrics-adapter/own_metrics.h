// The adapter's own Prometheus metrics.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace mcpfleet::adapter {

// Thread safety: any thread.
class OwnMetrics {
 public:
  OwnMetrics();
  ~OwnMetrics();

  void set_targets(std::size_t count);
  void count_scrape(Duration took);
  void count_failed_scrape();
  void count_series(std::size_t kinds);
  void set_kept_series(std::size_t count);
  void count_refused_series(std::size_t count);
  void count_request(int status, Duration took);

  // For the parts that have metrics of their own.
  prometheus::Registry& registry() { return *registry_; }

  // Text format 0.0.4.
  std::string exposition() const;

 private:
  prometheus::Counter& requests_with(int status);

  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>* requests_ = nullptr;
  prometheus::Gauge* targets_ = nullptr;
  prometheus::Counter* scrapes_ = nullptr;
  prometheus::Counter* failed_scrapes_ = nullptr;
  prometheus::Counter* series_ = nullptr;
  prometheus::Gauge* kept_series_ = nullptr;
  prometheus::Counter* refused_series_ = nullptr;
  prometheus::Histogram* scrape_seconds_ = nullptr;
  prometheus::Histogram* request_seconds_ = nullptr;
  std::mutex mutex_;
  std::map<int, prometheus::Counter*> by_status_;  // protected by mutex_
};

}  // namespace mcpfleet::adapter
