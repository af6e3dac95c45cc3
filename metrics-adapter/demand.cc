#include "metrics-adapter/demand.h"

#include "metrics-adapter/json_reader.h"
#include "metrics/answer.h"
#include "metrics/series_answer.h"

namespace mcpfleet::adapter {

Result<AutoscalerMetrics> decode_autoscaler(std::string_view json) {
  thread_local JsonReader reader;
  auto object = reader.read(json);
  if (!object) return fail(object.error().context("HorizontalPodAutoscaler"));
  AutoscalerMetrics result;
  result.namespace_ = text_at(*object, {"metadata", "namespace"});
  result.name = text_at(*object, {"metadata", "name"});
  if (result.name.empty() || result.namespace_.empty())
    return fail(ErrorKind::Malformed,
                "a HorizontalPodAutoscaler without metadata.name or namespace");
  simdjson::dom::array metrics;
  if ((*object)["spec"]["metrics"].get(metrics) != simdjson::SUCCESS) return result;
  for (const auto metric : metrics) {
    const auto name = text_at(metric, {"pods", "metric", "name"});
    if (metrics::is_metric_name(name) && !metrics::parse_metric(name)) result.metrics.emplace(name);
  }
  return result;
}

bool Demand::Space::wants(const std::string& metric) const {
  return standing.contains(metric) || asked.contains(metric);
}

void Demand::Space::build() {
  auto all = std::make_shared<metrics::WantedSeries>();
  for (const auto& metric : standing) all->merge(metrics::series_for(metric));
  for (const auto& [metric, when] : asked) all->merge(metrics::series_for(metric));
  series = std::move(all);
}

Result<bool> Demand::ask(const std::string& namespace_, const std::string& metric,
                         MonotonicTime now) {
  if (!metrics::is_metric_name(metric))
    return fail(ErrorKind::Invalid, "'" + metric.substr(0, 64) + "' is no metric's name");
  std::lock_guard lock(mutex_);
  auto& space = spaces_[namespace_];
  const bool known = space.wants(metric);
  if (!known && space.asked.size() >= kMostAsked)
    return fail(ErrorKind::Unavailable, "more than " + std::to_string(kMostAsked) +
                                            " other metrics of the namespace were "
                                            "asked for in the last ten minutes");
  space.asked[metric] = now;
  if (!known) space.build();
  return known;
}

void Demand::set_autoscalers(const Autoscalers& autoscalers) {
  std::map<std::string, std::set<std::string, std::less<>>> standing;
  for (const auto& autoscaler : autoscalers)
    standing[autoscaler->namespace_].insert(autoscaler->metrics.begin(), autoscaler->metrics.end());
  std::lock_guard lock(mutex_);
  for (auto& [name, space] : spaces_) standing.try_emplace(name);
  for (auto& [name, metrics] : standing) {
    auto& space = spaces_[name];
    if (space.standing == metrics) continue;
    space.standing = std::move(metrics);
    space.build();
  }
}

void Demand::refresh(MonotonicTime now) {
  if (dirty_.exchange(false) && autoscalers_) set_autoscalers(autoscalers_());
  forget_old(now);
}

void Demand::forget_old(MonotonicTime now) {
  std::lock_guard lock(mutex_);
  for (auto it = spaces_.begin(); it != spaces_.end();) {
    auto& space = it->second;
    if (std::erase_if(space.asked, [now](const auto& entry) { return now - entry.second > kKept; }))
      space.build();
    it = space.asked.empty() && space.standing.empty() ? spaces_.erase(it) : std::next(it);
  }
}

std::shared_ptr<const metrics::WantedSeries> Demand::wanted(std::string_view namespace_) const {
  std::lock_guard lock(mutex_);
  const auto found = spaces_.find(namespace_);
  return found == spaces_.end() ? nullptr : found->second.series;
}

}  // namespace mcpfleet::adapter
