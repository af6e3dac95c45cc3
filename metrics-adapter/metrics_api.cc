#include "metrics-adapter/metrics_api.h"

#include <algorithm>

#include "base/quantity.h"
#include "base/time_text.h"
#include "metrics-adapter/explain.h"
#include "metrics-adapter/status_body.h"

namespace mcpfleet::adapter {
namespace {

constexpr std::string_view kOlder = "v1beta1";

// What is the same for all items of an answer, by what comes between.
struct Frame {
  std::string head;
  std::string before_name;
  std::string before_time;
  std::string_view before_window;
  std::string end;  // of an item
};

// What the items describe; core objects have the apiVersion "/v1".
struct Described {
  std::string kind;
  std::string api_version;
};

Described described_by(const MetricQuery& query) {
  if (query.path.resource == kPodsResource) return {"Pod", "/v1"};
  if (query.path.resource == kNamespacesResource) return {"Namespace", "/v1"};
  return {"MCPServer", "mcpfleet.dev/v1alpha1"};
}

Frame make_frame(const MetricQuery& query, const Described& described) {
  const bool older = query.path.version == kOlder;
  const std::string selector = R"(,"selector":)" + query.metric_labels.to_json();
  Frame frame;
  // Our own group answers in the same words.
  frame.head = R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/)" +
               query.path.version + R"(","metadata":{},"items":[)";
  frame.before_name = R"({"describedObject":{"kind":)";
  append_json_string(frame.before_name, described.kind);
  if (!query.path.namespace_.empty()) {
    frame.before_name += R"(,"namespace":)";
    append_json_string(frame.before_name, query.path.namespace_);
  }
  frame.before_name += R"(,"name":)";
  frame.before_time = R"(,"apiVersion":)";
  append_json_string(frame.before_time, described.api_version);
  frame.before_time += older ? R"(},"metricName":)" : R"(},"metric":{"name":)";
  append_json_string(frame.before_time, query.path.metric);
  if (!older) frame.before_time += selector + "}";
  frame.before_time += R"(,"timestamp":")";
  frame.before_window = older ? R"(,"window":)" : R"(,"windowSeconds":)";
  frame.end = older ? selector + "}" : "}";
  return frame;
}

// From the text of the time on.
void append_value(std::string& out, std::string_view before_window, const metrics::Value& value) {
  out += to_rfc3339(value.timestamp);
  out += '"';
  const auto window = std::chrono::round<std::chrono::seconds>(value.window).count();
  if (value.window.count() > 0) {
    out += before_window;
    out += std::to_string(std::max<std::int64_t>(1, window));
  }
  out += R"(,"value":")" + format_quantity_milli(value.milli) + '"';
}

void append_item(std::string& out, const Frame& frame, const MetricItem& item) {
  out += frame.before_name;
  append_json_string(out, item.name);
  out += frame.before_time;
  append_value(out, frame.before_window, item.value);
  out += frame.end;
}

std::string value_list(const MetricQuery& query, const Described& described,
                       const std::vector<MetricItem>& items) {
  const auto frame = make_frame(query, described);
  std::string body;
  body.reserve(frame.head.size() + 8 + items.size() * 320);
  body += frame.head;
  for (const auto& item : items) {
    if (&item != &items.front()) body += ',';
    append_item(body, frame, item);
  }
  body += "]}\n";
  return body;
}

std::string text_of(const Target& target, std::string_view parameter) {
  const auto found = target.query.find(parameter);
  return found == target.query.end() ? std::string() : found->second;
}

Result<metrics::LabelSelector> selector_of(const Target& target, std::string_view parameter) {
  const auto found = target.query.find(parameter);
  if (found == target.query.end()) return metrics::LabelSelector{};
  auto selector = metrics::LabelSelector::parse(found->second);
  if (!selector) return fail(selector.error().context(parameter));
  return selector;
}

// Over which time, where that is asked for.
Result<std::optional<Duration>> window_of(const Target& target) {
  const auto found = target.query.find("window");
  if (found == target.query.end()) return std::nullopt;
  if (target.segments[1] != kOwnGroup)
    return fail(ErrorKind::Invalid, "window: may be asked for of " + std::string(kOwnGroup) +
                                        " only; other groups have the adapter's own");
  auto window = parse_duration(found->second);
  if (!window) return fail(window.error().context("window"));
  return *window;
}

Result<MetricQuery> parse_query(const Target& target) {
  auto path = parse_metric_path(target);
  if (!path) return fail(path.error());
  auto labels = selector_of(target, "labelSelector");
  if (!labels) return fail(labels.error());
  auto metric_labels = selector_of(target, "metricLabelSelector");
  if (!metric_labels) return fail(metric_labels.error());
  auto window = window_of(target);
  if (!window) return fail(window.error());
  return MetricQuery{std::move(*path),
                     std::move(*labels),
                     std::move(*metric_labels),
                     text_of(target, "metricLabelSelector"),
                     text_of(target, "labelSelector"),
                     *window};
}

Result<ExternalQuery> parse_external_query(const Target& target) {
  auto path = parse_external_path(target);
  if (!path) return fail(path.error());
  auto labels = selector_of(target, "labelSelector");
  if (!labels) return fail(labels.error());
  if (auto window = window_of(target); !window) return fail(window.error());
  return ExternalQuery{std::move(*path), std::move(*labels), text_of(target, "labelSelector")};
}

// An item of an ExternalMetricValueList, with its labels as JSON.
void append_external(std::string& body, std::string_view metric, std::string_view labels,
                     const metrics::Value& value) {
  if (!body.ends_with('[')) body += ',';
  body += R"({"metricName":)";
  append_json_string(body, metric);
  body.append(R"(,"metricLabels":)").append(labels).append(R"(,"timestamp":")");
  append_value(body, R"(,"window":)", value);
  body += '}';
}

constexpr std::string_view kExternalHead =
    R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1",)"
    R"("metadata":{},"items":[)";

http::Response json_response(std::string body) {
  // Without a Content-Type client-go would take the body for protobuf.
  return http::text_response(200, std::move(body), "application/json");
}

// An answer of whichever source as its list.
template <typename Query, typename Answer>
http::Response respond(const Query& query, const Result<Answer>& answer,
                       std::string (*list)(const Query&, const Answer&)) {
  return answer ? json_response(list(query, *answer)) : error_response(answer.error());
}

bool knows(const MetricPath& path) {
  const auto known = metrics_of(path.group, path.resource);
  return path.namespace_.empty() == (path.resource == kNamespacesResource) &&
         std::ranges::find(known, path.metric) != known.end();
}

// Whether Prometheus is asked where the pods' source has no value: for what that does not know.
// What a pod exposes under a name that somebody asks for is nearer than what Prometheus has of it.
// Over which time Prometheus' values are is said by its queries.
bool may_ask_prometheus(const MetricQuery& query, const Sources& sources) {
  return sources.prometheus != nullptr && !knows(query.path) && !query.window;
}

// The names of our own metrics are others' too, where labels are asked for that we do not have.
bool knows(const ExternalQuery& query) {
  const auto known = metrics_of(kExternalGroup, kServersResource);
  return std::ranges::find(known, query.path.metric) != known.end() &&
         query.labels.without({"server", "tool", "method"}).empty();
}

http::Response answer_external(const Target& target, const Sources& sources, metrics::Instant now) {
  auto query = parse_external_query(target);
  if (!query) return error_response(query.error());
  if (sources.prometheus != nullptr && !knows(*query))
    return respond<ExternalQuery, std::vector<promql::ExternalValue>>(
        *query, sources.prometheus->external(*query), external_metric_value_list);
  return respond<ExternalQuery, MetricAnswer>(*query, sources.pods.external(*query, now),
                                              external_metric_value_list);
}

Explanation explain_by(promql::PrometheusSource& prometheus, const MetricQuery& query) {
  promql::Inquiry inquiry;
  const auto answer = prometheus.query(query, inquiry);
  Explanation explanation{
      MetricAnswer{}, {}, {.max_age = prometheus.max_age()}, std::move(inquiry)};
  if (!answer) {
    explanation.answer = fail(answer.error());
  } else {
    explanation.answer->items = {{query.path.name, answer->values.front().value}};
  }
  return explanation;
}

http::Response answer_external_explanation(const Target& target, const Sources& sources,
                                           metrics::Instant now) {
  const auto query = parse_external_query(target);
  if (!query) return error_response(query.error());
  if (sources.prometheus == nullptr || knows(*query))
    return json_response(explanation_body(*query, sources.pods.explain_external(*query, now), now));
  promql::Inquiry inquiry;
  const auto values = sources.prometheus->external(*query, inquiry);
  return json_response(explanation_body(
      *query, PrometheusExplanation{values, inquiry, sources.prometheus->max_age()}, now));
}

http::Response answer_explanation(const Target& target, const Sources& sources,
                                  metrics::Instant now) {
  auto query = parse_query(target);
  if (!query) return error_response(query.error());
  if (query->path.name == "*")
    return error_response({ErrorKind::Invalid, "an explanation is of one object, by its name"});
  auto explanation = sources.pods.explain(*query, now);
  if (!explanation.answer && may_ask_prometheus(*query, sources))
    explanation = explain_by(*sources.prometheus, *query);
  return json_response(explanation_body(*query, explanation, now));
}

http::Response answer_custom(const Target& target, const Sources& sources, metrics::Instant now) {
  auto query = parse_query(target);
  if (!query) return error_response(query.error());
  const auto answer = sources.pods.query(*query, now);
  if (!answer && may_ask_prometheus(*query, sources))
    return respond<MetricQuery, promql::ObjectAnswer>(*query, sources.prometheus->query(*query),
                                                      metric_value_list);
  return respond<MetricQuery, MetricAnswer>(*query, answer, metric_value_list);
}

bool is_served(const Target& target) { return has_version(target.segments[1], target.segments[2]); }

}  // namespace

std::string metric_value_list(const MetricQuery& query, const MetricAnswer& answer) {
  return value_list(query, described_by(query), answer.items);
}

std::string metric_value_list(const MetricQuery& query, const promql::ObjectAnswer& answer) {
  const auto& resource = answer.resource;
  std::vector<MetricItem> items;
  items.reserve(answer.values.size());
  for (const auto& [name, value] : answer.values) items.push_back({name, value});
  return value_list(query, {resource.kind, resource.group + "/" + resource.version}, items);
}

std::string external_metric_value_list(const ExternalQuery& query, const MetricAnswer& answer) {
  std::string body(kExternalHead);
  for (const auto& item : answer.items) {
    std::string labels = R"({"server":)";
    append_json_string(labels, item.name);
    append_external(body, query.path.metric, labels + "}", item.value);
  }
  return body + "]}\n";
}

std::string external_metric_value_list(const ExternalQuery& query,
                                       const std::vector<promql::ExternalValue>& values) {
  std::string body(kExternalHead);
  for (const auto& [labels, value] : values) {
    std::string text = "{";
    for (const auto& [label, of_label] : labels) {
      if (text.size() > 1) text += ',';
      append_json_string(text, label);
      text += ':';
      append_json_string(text, of_label);
    }
    append_external(body, query.path.metric, text + "}", value);
  }
  return body + "]}\n";
}

bool waits(const Target& target, const Sources& sources) {
  if (sources.prometheus == nullptr || !is_resource(target) || !is_served(target)) return false;
  const auto inner = explained(target).value_or(target);
  if (inner.segments[1] == kExternalGroup) {
    const auto query = parse_external_query(inner);
    return query && !knows(*query);
  }
  const auto path = parse_metric_path(inner);
  return path && !knows(*path);
}

http::Response answer_metric_request(const Target& target, const Sources& sources,
                                     metrics::Instant now) {
  if (!is_served(target))
    return status_response(404, "the server could not find the requested resource");
  if (const auto inner = explained(target))
    return inner->segments[1] == kExternalGroup ? answer_external_explanation(*inner, sources, now)
                                                : answer_explanation(*inner, sources, now);
  if (target.segments[1] == kExternalGroup) return answer_external(target, sources, now);
  return answer_custom(target, sources, now);
}

}  // namespace mcpfleet::adapter
