// Metrics of the adapter's own, which live as long as their registry.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace mcpfleet::adapter {

// One of several with the same name has `labels` that tell it from them.
// Thread safety: any thread.
using MetricLabels = std::map<std::string, std::string>;
prometheus::Counter* new_counter(prometheus::Registry& registry, const char* name, const char* help,
                                 const MetricLabels& labels = {});
prometheus::Gauge* new_gauge(prometheus::Registry& registry, const char* name, const char* help);
// `bounds`: of its buckets, ascending, without +Inf.
prometheus::Histogram* new_histogram(prometheus::Registry& registry, const char* name,
                                     const char* help, const std::vector<double>& bounds,
                                     const MetricLabels& labels = {});

}  // namespace mcpfleet::adapter
