#include "metrics-adapter/prometheus/prometheus_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <utility>

#include "metrics-adapter/new_metric.h"

namespace mcpfleet::adapter::promql {
namespace {

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

class CountedClient final : public PrometheusClient {
 public:
  CountedClient(std::unique_ptr<PrometheusClient> client, PrometheusMetrics& metrics,
                const Clock& clock)
      : client_(std::move(client)), metrics_(metrics), clock_(clock) {}

  Result<std::string> get(std::string_view endpoint, const std::vector<Parameter>& parameters,
                          std::size_t max_bytes) override {
    const auto begun = clock_.monotonic();
    auto answer = client_->get(endpoint, parameters, max_bytes);
    metrics_.count_question(endpoint, clock_.monotonic() - begun, !answer);
    return answer;
  }

 private:
  const std::unique_ptr<PrometheusClient> client_;
  PrometheusMetrics& metrics_;
  const Clock& clock_;
};

}  // namespace

PrometheusMetrics::Questions::Questions(prometheus::Registry& registry, const std::string& kind)
    : asked(new_counter(registry, "mcpfleet_adapter_prometheus_requests_total",
                        "Requests to Prometheus that ended: queries, and discovery of series.",
                        {{"kind", kind}})),
      failed(new_counter(registry, "mcpfleet_adapter_prometheus_request_failures_total",
                         "Requests to Prometheus that it refused or did not answer.",
                         {{"kind", kind}})),
      seconds(new_histogram(registry, "mcpfleet_adapter_prometheus_request_duration_seconds",
                            "From sending a request to Prometheus to its answer.",
                            {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10},
                            {{"kind", kind}})) {}

PrometheusMetrics::Lookups::Lookups(prometheus::Registry& registry, const std::string& cache)
    : hits(new_counter(registry, "mcpfleet_adapter_prometheus_cache_hits_total",
                       "Questions about objects or resources that an earlier answer of the API "
                       "server answered.",
                       {{"cache", cache}})),
      misses(new_counter(registry, "mcpfleet_adapter_prometheus_cache_misses_total",
                         "Questions about objects or resources that the API server was asked.",
                         {{"cache", cache}})) {}

PrometheusMetrics::PrometheusMetrics(prometheus::Registry& registry)
    : queries_(registry, "query"),
      discoveries_(registry, "discovery"),
      objects_(registry, "objects"),
      resources_(registry, "resources"),
      series_(new_gauge(registry, "mcpfleet_adapter_prometheus_series",
                        "Names of series that the rules' seriesQueries found.")),
      metrics_(new_gauge(registry, "mcpfleet_adapter_prometheus_metrics",
                         "Custom and external metrics that the rules make of these series.")),
      // A time and no age: an age would stand still when whoever sets it does.
      discovered_at_(new_gauge(registry,
                               "mcpfleet_adapter_prometheus_last_discovery_timestamp_seconds",
                               "When all series were last discovered; 0: never.")) {}

void PrometheusMetrics::count_question(std::string_view endpoint, Duration took, bool failed) {
  auto& questions = endpoint == "/api/v1/query" ? queries_ : discoveries_;
  questions.asked->Increment();
  if (failed) questions.failed->Increment();
  questions.seconds->Observe(to_seconds(took));
}

void PrometheusMetrics::set_discovered(std::size_t series, std::size_t metrics, WallTime at,
                                       bool complete) {
  series_->Set(static_cast<double>(series));
  metrics_->Set(static_cast<double>(metrics));
  if (complete) discovered_at_->Set(to_seconds(at.time_since_epoch()));
}

void PrometheusMetrics::count_lookup(Cache cache, bool hit) {
  auto& lookups = cache == Cache::Objects ? objects_ : resources_;
  (hit ? lookups.hits : lookups.misses)->Increment();
}

std::unique_ptr<PrometheusClient> counted(std::unique_ptr<PrometheusClient> client,
                                          PrometheusMetrics& metrics, const Clock& clock) {
  return std::make_unique<CountedClient>(std::move(client), metrics, clock);
}

}  // namespace mcpfleet::adapter::promql
