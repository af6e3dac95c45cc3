// The names of the objects that a label selector selects, as the API server lists them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/client.h"
#include "metrics-adapter/prometheus/prometheus_metrics.h"
#include "metrics-adapter/prometheus/resource.h"
#include "metrics-adapter/timed_cache.h"

namespace mcpfleet::adapter::promql {

// Thread safety: any thread. Calls wait; an answer is good for five seconds.
class ObjectNames {
 public:
  using Names = std::shared_ptr<const std::vector<std::string>>;
  // All three outlive it.
  ObjectNames(kube::Client& client, const Clock& clock, PrometheusMetrics& metrics)
      : client_(client), clock_(clock), metrics_(metrics) {}

  // Only their metadata is asked for. An empty namespace: of the whole cluster. Errors:
  // Unavailable, with the reason, also where the list is forbidden; TooLarge (over 10000).
  Result<Names> list(const Resource& resource, std::string_view namespace_,
                     std::string_view selector);

 private:
  kube::Client& client_;
  const Clock& clock_;
  PrometheusMetrics& metrics_;
  TimedCache<Names> cache_{std::chrono::seconds(5), 256};
};

}  // namespace mcpfleet::adapter::promql
