#include "metrics-adapter/new_metric.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace mcpfleet::adapter {

prometheus::Counter* new_counter(prometheus::Registry& registry, const char* name, const char* help,
                                 const MetricLabels& labels) {
  return &prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add(labels);
}

prometheus::Gauge* new_gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return &prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram* new_histogram(prometheus::Registry& registry, const char* name,
                                     const char* help, const std::vector<double>& bounds,
                                     const MetricLabels& labels) {
  return &prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add(labels, bounds);
}

}  // namespace mcpfleet::adapter
