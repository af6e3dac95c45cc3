#include "metrics-adapter/prometheus/prometheus_source.h"

#include <algorithm>
#include <fstream>
#include <ranges>
#include <sstream>

#include "log/log.h"

namespace mcpfleet::adapter::promql {
namespace {

constexpr std::size_t kMaxQueryAnswer = 8 * 1024 * 1024;
// As far as Prometheus itself looks back for the newest sample of a series.
constexpr std::chrono::minutes kLookback{5};
constexpr std::chrono::seconds kRetry{5};
const Resource kNamespaces{"", "v1", "namespaces", "namespace", "Namespace", false};

Result<Rules> read_rules(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) return fail(ErrorKind::Invalid, "cannot read the file " + file);
  auto rules = parse_rules(text.view());
  if (!rules) return fail(rules.error().context(file));
  if (rules->has_resource_rules)
    log::info("resourceRules are passed over: metrics.k8s.io is not served", {{"file", file}});
  return rules;
}

std::string quoted_query(const std::string& promql) {
  constexpr std::size_t kShown = 1000;  // of a message for people
  return promql.size() <= kShown ? promql : promql.substr(0, kShown) + "…";
}

// A metric that no rule makes is the answer's last word only where all of Prometheus was read.
std::string why_unknown(const MetricTable& table) {
  constexpr const char* kNone = "no rule makes such a metric of what Prometheus has";
  return table.failure.empty()
             ? kNone
             : std::string(kNone) + ", as far as it could be read: " + table.failure;
}

Error no_external(const ExternalQuery& query, const std::string& reason) {
  std::string text = "the server could not find the metric " + query.path.metric;
  if (!query.labels_text.empty()) text += " with selector " + query.labels_text;
  return {ErrorKind::NotFound, text + ": " + reason};
}

// The error with the query that it is about.
Error about(const Error& error, const std::string& promql) {
  return {error.kind, error.message + ": " + quoted_query(promql)};
}

// Where a namespace's name is among a rule's labels; of an external rule perhaps nowhere.
Result<std::string> namespace_label(const Namer& namer, const LabelNames* among) {
  auto label = namer.label_of(kNamespaces, among);
  if (!label) label = namer.label_of(kNamespaces, nullptr);
  if (label) return *label;
  return fail(ErrorKind::Invalid, namer.rule().path +
                                      ".resources names no label of namespaces, "
                                      "by overrides or template");
}

}  // namespace

PrometheusSource::PrometheusSource(SourceParts parts, kube::Client& client, const Clock& clock,
                                   Duration max_age)
    : parts_(std::move(parts)),
      clock_(clock),
      max_age_(max_age),
      resources_(client, clock, *parts_.metrics),
      names_(client, clock, *parts_.metrics) {}

Result<std::unique_ptr<PrometheusSource>> PrometheusSource::start(const SourceOptions& options,
                                                                  kube::Client& client,
                                                                  const Clock& clock,
                                                                  prometheus::Registry& registry) {
  auto connected = PrometheusClient::create(options.client, clock);
  if (!connected) return fail(connected.error().context("--prometheus-url"));
  SourceParts parts{std::make_unique<PrometheusMetrics>(registry), nullptr, nullptr};
  parts.prometheus = counted(std::move(*connected), *parts.metrics, clock);
  auto rules = read_rules(options.rules_file);
  if (!rules) return fail(rules.error().context("--prometheus-rules"));
  auto series = SeriesList::create(*rules, *parts.prometheus,
                                   std::max<Duration>(kLookback, options.relist_interval));
  if (!series) return fail(series.error().context("--prometheus-rules"));
  parts.series = std::move(*series);
  auto source =
      std::make_unique<PrometheusSource>(std::move(parts), client, clock, options.max_age);
  source->relist_.emplace([self = source.get(), interval = options.relist_interval]() -> Duration {
    return self->refresh() ? interval : std::min<Duration>(kRetry, interval);
  });
  return source;
}

bool PrometheusSource::refresh() {
  const auto now = clock_.wall();
  const bool complete = parts_.series->refresh(now);
  const auto table = parts_.series->table();
  parts_.metrics->set_discovered(table->series, table->custom.size() + table->external.size(), now,
                                 complete);
  return complete;
}

Result<std::shared_ptr<const MetricTable>> PrometheusSource::table() const {
  auto known = parts_.series->table();
  if (!known)
    return fail(ErrorKind::Unavailable,
                "the metrics adapter has just started and does not know yet what Prometheus has");
  return known;
}

Result<ObjectNames::Names> PrometheusSource::names_for(const MetricQuery& query,
                                                       const Resource& resource) {
  const auto& path = query.path;
  if (path.name != "*")
    return std::make_shared<const std::vector<std::string>>(std::vector{path.name});
  auto names = names_.list(resource, path.namespace_, query.labels_text);
  if (names && (*names)->empty())
    return fail(ErrorKind::NotFound, "no " + resource.text() + " are selected");
  return names;
}

Result<PrometheusSource::Plan> PrometheusSource::plan(const MetricQuery& query) {
  const auto known = table();
  if (!known) return fail(known.error());
  const auto& candidates = MetricTable::find((*known)->custom, query.path.metric);
  if (candidates.empty()) return fail(ErrorKind::NotFound, why_unknown(**known));
  return plan_for(query, candidates);
}

Result<PrometheusSource::Plan> PrometheusSource::plan_for(const MetricQuery& query,
                                                          const std::vector<KnownSeries>& known) {
  const auto& path = query.path;
  auto resource = resources_.find(path.resource);
  if (!resource) return fail(resource.error());
  if (resource->namespaced != !path.namespace_.empty())
    return fail(ErrorKind::NotFound,
                resource->text() + (resource->namespaced ? " are asked for in a namespace"
                                                         : " are in no namespace"));
  for (const auto& series : std::views::reverse(known)) {
    auto label = series.namer->label_of(*resource, &series.labels);
    if (!label) continue;
    auto names = names_for(query, *resource);
    if (!names) return fail(names.error());
    std::string of_namespace;
    if (resource->namespaced) {
      auto found = namespace_label(*series.namer, &series.labels);
      if (!found) return fail(found.error());
      of_namespace = std::move(*found);
    }
    auto promql = series.namer->query(
        {series.name, *label, of_namespace, path.namespace_, **names, query.metric_labels});
    if (!promql) return fail(promql.error());
    return Plan{std::move(*resource), std::move(*label), std::move(*names), std::move(*promql)};
  }
  return fail(ErrorKind::NotFound,
              "none of its series has a label that the rules take for the "
              "name of " +
                  resource->text());
}

Result<std::vector<Sample>> PrometheusSource::ask(Inquiry& inquiry) {
  const auto& promql = inquiry.promql;
  const auto body = parts_.prometheus->get("/api/v1/query", {{"query", promql}}, kMaxQueryAnswer);
  if (!body) return fail(about(body.error(), promql));
  auto samples = parse_query_answer(*body);
  if (!samples) return fail(about(samples.error(), promql));
  inquiry.series = samples->size();
  return samples;
}

void PrometheusSource::note_discovery(Inquiry& inquiry) const {
  const auto known = parts_.series->table();
  if (known && known->all_read_at) inquiry.discovery_age = clock_.wall() - *known->all_read_at;
}

Result<ObjectAnswer> PrometheusSource::query(const MetricQuery& query) {
  Inquiry inquiry;
  return this->query(query, inquiry);
}

Result<ObjectAnswer> PrometheusSource::query(const MetricQuery& query, Inquiry& inquiry) {
  note_discovery(inquiry);
  auto planned = plan(query);
  if (!planned) return no_value(query, planned.error());
  inquiry.promql = std::move(planned->promql);
  const auto samples = ask(inquiry);
  if (!samples) return no_value(query, samples.error());
  auto values = pick_values(*samples, planned->label, *planned->names, freshness());
  if (!values) return no_value(query, about(values.error(), inquiry.promql));
  return ObjectAnswer{std::move(planned->resource), std::move(*values)};
}

Result<std::string> PrometheusSource::external_promql(const ExternalQuery& query) const {
  const auto known = table();
  if (!known) return fail(known.error());
  const auto& candidates = MetricTable::find((*known)->external, query.path.metric);
  if (candidates.empty()) return fail(no_external(query, why_unknown(**known)));
  const auto& series = candidates.back();
  std::string of_namespace;
  if (series.namer->rule().namespaced) {
    auto label = namespace_label(*series.namer, &series.labels);
    if (!label)
      return fail(label.error().kind,
                  label.error().message + "; namespaced: false asks for all namespaces");
    of_namespace = std::move(*label);
  }
  return series.namer->external_query(series.name, of_namespace, query.path.namespace_,
                                      query.labels);
}

Result<std::vector<ExternalValue>> PrometheusSource::external(const ExternalQuery& query) {
  Inquiry inquiry;
  return external(query, inquiry);
}

Result<std::vector<ExternalValue>> PrometheusSource::external(const ExternalQuery& query,
                                                              Inquiry& inquiry) {
  note_discovery(inquiry);
  auto promql = external_promql(query);
  if (!promql) return fail(promql.error());
  inquiry.promql = std::move(*promql);
  const auto samples = ask(inquiry);
  if (!samples) return fail(samples.error());
  if (samples->empty())
    return fail(no_external(query, "Prometheus has no value: " + quoted_query(inquiry.promql)));
  std::vector<ExternalValue> values;
  for (const auto& sample : *samples) {
    const auto value = to_value(sample, freshness());
    if (!value) return fail(no_external(query, about(value.error(), inquiry.promql).message));
    values.push_back({sample.labels, *value});
  }
  return values;
}

}  // namespace mcpfleet::adapter::promql
