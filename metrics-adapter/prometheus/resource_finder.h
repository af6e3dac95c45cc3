// Which kind of objects a request means, by the API server's discovery.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/client.h"
#include "metrics-adapter/prometheus/prometheus_metrics.h"
#include "metrics-adapter/prometheus/resource.h"

namespace mcpfleet::adapter::promql {

// Reads only the documents that a question needs: they are good for ten minutes, or half a minute
// where what is asked for is not in them.
// Thread safety: any thread. Calls wait.
class ResourceFinder {
 public:
  // All three outlive it.
  ResourceFinder(kube::Client& client, const Clock& clock, PrometheusMetrics& metrics)
      : client_(client), clock_(clock), metrics_(metrics) {}

  // "pods", "pod", "deployments.apps"; without a group the core one comes first, then the API
  // server's order. Errors: NotFound (there is no such resource), Unavailable (it cannot be asked).
  Result<Resource> find(std::string_view text);

 private:
  template <typename T>
  struct Cached {
    std::shared_ptr<const std::vector<T>> content;
    MonotonicTime read;
  };
  template <typename T>
  using Documents = std::map<std::string, Cached<T>>;

  // NotFound where no document that is at most `max_age` old has it.
  Result<Resource> search(std::string_view name, std::string_view group, Duration max_age);
  // From memory where that is young enough, else asked for; what cannot be read now stays good.
  template <typename T>
  Result<std::shared_ptr<const std::vector<T>>> document(
      Documents<T>& documents, const std::string& path, Duration max_age,
      Result<std::vector<T>> (*parse)(std::string_view));

  kube::Client& client_;
  const Clock& clock_;
  PrometheusMetrics& metrics_;
  std::mutex mutex_;
  Documents<Resource> resources_;   // protected by mutex_
  Documents<GroupVersion> groups_;  // protected by mutex_
};

}  // namespace mcpfleet::adapter::promql
