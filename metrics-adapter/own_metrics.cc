#include "metrics-adapter/own_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "metrics-adapter/new_metric.h"

namespace mcpfleet::adapter {
namespace {

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

OwnMetrics::OwnMetrics() : registry_(std::make_shared<prometheus::Registry>()) {
  auto& registry = *registry_;
  requests_ = &prometheus::BuildCounter()
                   .Name("mcpfleet_adapter_requests_total")
                   .Help("Requests answered by the metrics API, by HTTP status.")
                   .Register(registry);
  targets_ = new_gauge(registry, "mcpfleet_adapter_targets", "Pods that are scraped.");
  scrapes_ = new_counter(registry, "mcpfleet_adapter_scrapes_total", "Scrapes that ended.");
  failed_scrapes_ =
      new_counter(registry, "mcpfleet_adapter_scrape_failures_total", "Scrapes that gave no data.");
  series_ = new_counter(registry, "mcpfleet_adapter_scraped_kinds_total",
                        "Combinations of method and tool read by all scrapes.");
  kept_series_ =
      new_gauge(registry, "mcpfleet_adapter_kept_series",
                "Series of other names than mcp_… that are kept, since they are asked for.");
  refused_series_ = new_counter(registry, "mcpfleet_adapter_refused_series_total",
                                "Series that were asked for but not kept, since --max-series was "
                                "reached, summed over the scrapes.");
  scrape_seconds_ = new_histogram(registry, "mcpfleet_adapter_scrape_duration_seconds",
                                  "From sending a scrape to its answer.",
                                  {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1});
  request_seconds_ =
      new_histogram(registry, "mcpfleet_adapter_request_duration_seconds",
                    "From receiving a request of the metrics API to its answer.",
                    {0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 1});
}

OwnMetrics::~OwnMetrics() = default;

void OwnMetrics::set_targets(std::size_t count) { targets_->Set(static_cast<double>(count)); }

void OwnMetrics::count_scrape(Duration took) {
  scrapes_->Increment();
  scrape_seconds_->Observe(to_seconds(took));
}

void OwnMetrics::count_failed_scrape() { failed_scrapes_->Increment(); }

void OwnMetrics::count_series(std::size_t kinds) { series_->Increment(static_cast<double>(kinds)); }

void OwnMetrics::set_kept_series(std::size_t count) {
  kept_series_->Set(static_cast<double>(count));
}

void OwnMetrics::count_refused_series(std::size_t count) {
  refused_series_->Increment(static_cast<double>(count));
}

void OwnMetrics::count_request(int status, Duration took) {
  requests_with(status).Increment();
  request_seconds_->Observe(to_seconds(took));
}

// Family::Add() costs far more than an increment, so its references are kept.
prometheus::Counter& OwnMetrics::requests_with(int status) {
  std::lock_guard lock(mutex_);
  auto& known = by_status_[status];
  if (known == nullptr) known = &requests_->Add({{"code", std::to_string(status)}});
  return *known;
}

std::string OwnMetrics::exposition() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace mcpfleet::adapter
