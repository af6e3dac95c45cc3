// The adapter's own metrics of what it asks a Prometheus server.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "metrics-adapter/prometheus/prometheus_client.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace mcpfleet::adapter::promql {

// Thread safety: any thread.
class PrometheusMetrics {
 public:
  // What is kept for a while of the API server's answers.
  enum class Cache { Objects, Resources };

  explicit PrometheusMetrics(prometheus::Registry& registry);

  // A question to an endpoint of Prometheus, such as "/api/v1/query", is over. Any but that one is
  // discovery.
  void count_question(std::string_view endpoint, Duration took, bool failed);
  // What the last discovery found; `complete`: all of it could be read.
  void set_discovered(std::size_t series, std::size_t metrics, WallTime at, bool complete);
  void count_lookup(Cache cache, bool hit);

 private:
  struct Questions {
    Questions(prometheus::Registry& registry, const std::string& kind);
    prometheus::Counter* asked;
    prometheus::Counter* failed;
    prometheus::Histogram* seconds;
  };
  struct Lookups {
    Lookups(prometheus::Registry& registry, const std::string& cache);
    prometheus::Counter* hits;
    prometheus::Counter* misses;
  };

  Questions queries_;
  Questions discoveries_;
  Lookups objects_;
  Lookups resources_;
  prometheus::Gauge* series_;
  prometheus::Gauge* metrics_;
  prometheus::Gauge* discovered_at_;
};

// The same client, with every question counted. `metrics` and `clock` outlive it.
std::unique_ptr<PrometheusClient> counted(std::unique_ptr<PrometheusClient> client,
                                          PrometheusMetrics& metrics, const Clock& clock);

}  // namespace mcpfleet::adapter::promql
