// What Prometheus has: its series by the rules' queries, read now and then, and the metrics that
// they are by the rules.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics-adapter/prometheus/naming.h"
#include "metrics-adapter/prometheus/prometheus_answer.h"
#include "metrics-adapter/prometheus/prometheus_client.h"

namespace mcpfleet::adapter::promql {

// A series that is a metric by a rule.
struct KnownSeries {
  std::shared_ptr<const Namer> namer;
  std::string name;
  LabelNames labels;  // that some series of that name has
};

// All series by the names of their metrics. Where several are the same metric the last rule counts
// most. Never changes once it is shared.
struct MetricTable {
  using Metrics = std::map<std::string, std::vector<KnownSeries>, std::less<>>;
  Metrics custom;
  Metrics external;
  std::size_t series = 0;               // different names of series
  std::optional<WallTime> all_read_at;  // when Prometheus last said all of it
  std::string failure;                  // why Prometheus could not be asked last; empty: it could

  // Of one metric; empty: there is no such metric.
  static const std::vector<KnownSeries>& find(const Metrics& metrics, std::string_view name);
};

// Adds what a rule makes of the series that its seriesQuery found. Pure.
void add_series(MetricTable::Metrics& metrics, const std::shared_ptr<const Namer>& namer,
                const SeriesLabels& series);

class SeriesList {
 public:
  // `lookback`: how long ago a series may have had its last sample.
  // Error: Invalid, of a rule.
  static Result<std::unique_ptr<SeriesList>> create(const Rules& rules, PrometheusClient& client,
                                                    Duration lookback);

  // Asks Prometheus, once for each seriesQuery; waits. What cannot be read now stays as it was.
  // False where something could not be read. One thread at a time.
  bool refresh(WallTime now);
  // As it was read last; null: nothing was read yet. Any thread.
  std::shared_ptr<const MetricTable> table() const { return table_.load(); }

 private:
  using Namers = std::vector<std::shared_ptr<const Namer>>;
  SeriesList(PrometheusClient& client, Duration lookback) : client_(client), lookback_(lookback) {}
  static Result<Namers> make_namers(const std::vector<Rule>& rules);
  Result<SeriesLabels> read(const std::string& query, WallTime now);
  MetricTable::Metrics metrics_of(const Namers& namers) const;
  MetricTable make_table(const std::optional<Error>& failure) const;
  void tell(const std::optional<Error>& failure);

  PrometheusClient& client_;
  const Duration lookback_;
  Namers custom_;
  Namers external_;
  std::map<std::string, SeriesLabels> found_;  // by seriesQuery; used by refresh() alone
  std::optional<WallTime> all_read_at_;        // used by refresh() alone
  bool told_failure_ = false;                  // used by refresh() alone
  std::atomic<std::shared_ptr<const MetricTable>> table_;
};

}  // namespace mcpfleet::adapter::promql
