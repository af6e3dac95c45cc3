// The second source of metrics: a Prometheus server, by the rules of prometheus-adapter.
//
// Unlike MetricSource it waits: for Prometheus, and for the API server to say which objects there
// are.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/client.h"
#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/prometheus/inquiry.h"
#include "metrics-adapter/prometheus/object_names.h"
#include "metrics-adapter/prometheus/object_value.h"
#include "metrics-adapter/prometheus/prometheus_client.h"
#include "metrics-adapter/prometheus/prometheus_metrics.h"
#include "metrics-adapter/prometheus/resource_finder.h"
#include "metrics-adapter/prometheus/series_list.h"
#include "metrics-adapter/worker_pool.h"

namespace mcpfleet::adapter::promql {

struct SourceOptions {
  ClientOptions client;
  std::string rules_file;
  Duration relist_interval = std::chrono::minutes(1);
  Duration max_age = std::chrono::seconds(10);  // of a value
};

struct ObjectAnswer {
  Resource resource;
  std::vector<ObjectValue> values;
};

struct ExternalValue {
  std::map<std::string, std::string> labels;
  metrics::Value value;
};

struct SourceParts {
  std::unique_ptr<PrometheusMetrics> metrics;
  std::unique_ptr<PrometheusClient> prometheus;
  std::unique_ptr<SeriesList> series;  // by that client
};

// Thread safety: any thread. Calls wait, for some seconds at most; never on a server's thread.
class PrometheusSource {
 public:
  // Reads the rules and begins to ask Prometheus what it has. The references outlive it.
  // Error: Invalid, naming the flag, and of a rule its field; never that Prometheus is away.
  static Result<std::unique_ptr<PrometheusSource>> start(const SourceOptions& options,
                                                         kube::Client& client, const Clock& clock,
                                                         prometheus::Registry& registry);
  // Of parts, without a thread: refresh() is then the caller's.
  PrometheusSource(SourceParts parts, kube::Client& client, const Clock& clock, Duration max_age);

  // Of a value.
  Duration max_age() const { return max_age_; }
  // Reads what Prometheus has; false where not all could be read. One thread at a time.
  bool refresh();

  // A name gives exactly one value or an error; "*" those that have a value, and an error where
  // none has. Errors: NotFound, Invalid, Timeout, Unavailable, Internal, each with the reason.
  Result<ObjectAnswer> query(const MetricQuery& query);
  // The same, and says how it came about, also of an error.
  Result<ObjectAnswer> query(const MetricQuery& query, Inquiry& inquiry);
  // Each series of the answer. One without a good value is an error of all, since their sum would
  // look like less.
  Result<std::vector<ExternalValue>> external(const ExternalQuery& query);
  Result<std::vector<ExternalValue>> external(const ExternalQuery& query, Inquiry& inquiry);

 private:
  // What a request comes to before Prometheus is asked.
  struct Plan {
    Resource resource;
    std::string label;
    ObjectNames::Names names;
    std::string promql;
  };
  Result<std::shared_ptr<const MetricTable>> table() const;
  Result<Plan> plan(const MetricQuery& query);
  Result<Plan> plan_for(const MetricQuery& query, const std::vector<KnownSeries>& known);
  Result<ObjectNames::Names> names_for(const MetricQuery& query, const Resource& resource);
  Result<std::string> external_promql(const ExternalQuery& query) const;
  // Sends `inquiry.promql`.
  Result<std::vector<Sample>> ask(Inquiry& inquiry);
  void note_discovery(Inquiry& inquiry) const;
  Freshness freshness() const { return {max_age_, clock_.wall()}; }

  const SourceParts parts_;
  const Clock& clock_;
  const Duration max_age_;
  ResourceFinder resources_;
  ObjectNames names_;
  std::optional<Periodic> relist_;  // last: it ends first
};

}  // namespace mcpfleet::adapter::promql
