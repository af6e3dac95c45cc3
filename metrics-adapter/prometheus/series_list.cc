#include "metrics-adapter/prometheus/series_list.h"

#include <set>

#include "log/log.h"

namespace mcpfleet::adapter::promql {
namespace {

// The list of a large cluster's series has a few hundred bytes of each.
constexpr std::size_t kMaxSeriesAnswer = 64 * 1024 * 1024;

std::string unix_seconds(WallTime time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

const std::vector<KnownSeries>& MetricTable::find(const Metrics& metrics, std::string_view name) {
  static const std::vector<KnownSeries> kNone;
  const auto found = metrics.find(name);
  return found == metrics.end() ? kNone : found->second;
}

void add_series(MetricTable::Metrics& metrics, const std::shared_ptr<const Namer>& namer,
                const SeriesLabels& series) {
  for (const auto& [name, labels] : series) {
    if (!namer->accepts(name)) continue;
    auto metric = namer->metric_name(name);
    if (!metric.empty()) metrics[std::move(metric)].push_back({namer, name, labels});
  }
}

Result<SeriesList::Namers> SeriesList::make_namers(const std::vector<Rule>& rules) {
  Namers namers;
  for (const auto& rule : rules) {
    auto namer = Namer::create(rule);
    if (!namer) return fail(namer.error());
    namers.push_back(std::make_shared<const Namer>(std::move(*namer)));
  }
  return namers;
}

Result<std::unique_ptr<SeriesList>> SeriesList::create(const Rules& rules, PrometheusClient& client,
                                                       Duration lookback) {
  std::unique_ptr<SeriesList> list(new SeriesList(client, lookback));
  auto custom = make_namers(rules.custom);
  if (!custom) return fail(custom.error());
  auto external = make_namers(rules.external);
  if (!external) return fail(external.error());
  list->custom_ = std::move(*custom);
  list->external_ = std::move(*external);
  return list;
}

Result<SeriesLabels> SeriesList::read(const std::string& query, WallTime now) {
  const auto answer =
      client_.get("/api/v1/series", {{"match[]", query}, {"start", unix_seconds(now - lookback_)}},
                  kMaxSeriesAnswer);
  if (!answer) return fail(answer.error());
  return parse_series_answer(*answer);
}

bool SeriesList::refresh(WallTime now) {
  std::set<std::string_view> asked;
  std::optional<Error> failure;
  for (const auto* namers : {&custom_, &external_}) {
    for (const auto& namer : *namers) {
      const auto& query = namer->rule().series_query;
      if (!asked.insert(query).second) continue;
      auto series = read(query, now);
      if (series) {
        found_[query] = std::move(*series);
      } else if (!failure) {
        failure = series.error().context("the series " + query);
      }
    }
  }
  tell(failure);
  if (!failure) all_read_at_ = now;
  table_.store(std::make_shared<const MetricTable>(make_table(failure)));
  return !failure;
}

MetricTable SeriesList::make_table(const std::optional<Error>& failure) const {
  std::set<std::string_view> names;
  for (const auto& [query, series] : found_)
    for (const auto& [name, labels] : series) names.insert(name);
  return {metrics_of(custom_), metrics_of(external_), names.size(), all_read_at_,
          failure ? failure->message : ""};
}

MetricTable::Metrics SeriesList::metrics_of(const Namers& namers) const {
  MetricTable::Metrics metrics;
  for (const auto& namer : namers)
    if (const auto found = found_.find(namer->rule().series_query); found != found_.end())
      add_series(metrics, namer, found->second);
  return metrics;
}

// Once when it begins to fail, and once when it works again.
void SeriesList::tell(const std::optional<Error>& failure) {
  if (failure && !told_failure_)
    log::warn("cannot read what Prometheus has", {{"error", failure->message}});
  if (!failure && told_failure_) log::info("Prometheus can be read again");
  told_failure_ = failure.has_value();
}

}  // namespace mcpfleet::adapter::promql
