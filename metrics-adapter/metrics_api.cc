#include "metrics-adapter/metrics_api.h"

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

Frame make_frame(const MetricQuery& query) {
  const bool older = query.path.version == kOlder;
  const bool server = query.path.resource == kServersResource;
  const bool whole = query.path.resource == kNamespacesResource;
  const std::string selector = R"(,"selector":)" + query.metric_labels.to_json();
  Frame frame;
  // Our own group answers in the same words.
  frame.head = R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/)" +
               query.path.version + R"(","metadata":{},"items":[)";
  frame.before_name = R"({"describedObject":{"kind":)";
  frame.before_name += server ? R"("MCPServer")" : whole ? R"("Namespace")" : R"("Pod")";
  if (!whole) {
    frame.before_name += R"(,"namespace":)";
    append_json_string(frame.before_name, query.path.namespace_);
  }
  frame.before_name += R"(,"name":)";
  frame.before_time = R"(,"apiVersion":)";
  frame.before_time += server ? R"("mcpfleet.dev/v1alpha1")" : R"("/v1")";
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

Result<metrics::LabelSelector> selector_of(const Target& target, std::string_view parameter) {
  const auto found = target.query.find(parameter);
  if (found == target.query.end()) return metrics::LabelSelector{};
  auto selector = metrics::LabelSelector::parse(found->second);
  if (!selector) return fail(selector.error().context(parameter));
  return selector;
}

Result<MetricQuery> parse_query(const Target& target) {
  auto path = parse_metric_path(target);
  if (!path) return fail(path.error());
  auto labels = selector_of(target, "labelSelector");
  if (!labels) return fail(labels.error());
  auto metric_labels = selector_of(target, "metricLabelSelector");
  if (!metric_labels) return fail(metric_labels.error());
  const auto text = target.query.find("metricLabelSelector");
  return MetricQuery{std::move(*path), std::move(*labels), std::move(*metric_labels),
                     text == target.query.end() ? std::string() : text->second};
}

Result<ExternalQuery> parse_external_query(const Target& target) {
  auto path = parse_external_path(target);
  if (!path) return fail(path.error());
  auto labels = selector_of(target, "labelSelector");
  if (!labels) return fail(labels.error());
  const auto text = target.query.find("labelSelector");
  return ExternalQuery{std::move(*path), std::move(*labels),
                       text == target.query.end() ? std::string() : text->second};
}

http::Response answer_external(const Target& target, const MetricSource& source,
                               metrics::Instant now) {
  auto query = parse_external_query(target);
  if (!query) return error_response(query.error());
  auto answer = source.external(*query, now);
  if (!answer) return error_response(answer.error());
  return http::text_response(200, external_metric_value_list(*query, *answer), "application/json");
}

http::Response answer_explanation(const Target& target, const MetricSource& source,
                                  metrics::Instant now) {
  auto query = parse_query(target);
  if (!query) return error_response(query.error());
  if (query->path.name == "*")
    return error_response({ErrorKind::Invalid, "an explanation is of one object, by its name"});
  return http::text_response(200, explanation_body(*query, source.explain(*query, now), now),
                             "application/json");
}

bool is_served(const Target& target) { return has_version(target.segments[1], target.segments[2]); }

}  // namespace

std::string metric_value_list(const MetricQuery& query, const MetricAnswer& answer) {
  const auto frame = make_frame(query);
  std::string body;
  body.reserve(frame.head.size() + 8 + answer.items.size() * 320);
  body += frame.head;
  for (const auto& item : answer.items) {
    if (&item != &answer.items.front()) body += ',';
    append_item(body, frame, item);
  }
  body += "]}\n";
  return body;
}

std::string external_metric_value_list(const ExternalQuery& query, const MetricAnswer& answer) {
  std::string body =
      R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1",)"
      R"("metadata":{},"items":[)";
  for (const auto& item : answer.items) {
    if (&item != &answer.items.front()) body += ',';
    body += R"({"metricName":)";
    append_json_string(body, query.path.metric);
    body += R"(,"metricLabels":{"server":)";
    append_json_string(body, item.name);
    body += R"(},"timestamp":")";
    append_value(body, R"(,"window":)", item.value);
    body += '}';
  }
  return body + "]}\n";
}

http::Response answer_metric_request(const Target& target, const MetricSource& source,
                                     metrics::Instant now) {
  if (!is_served(target))
    return status_response(404, "the server could not find the requested resource");
  if (const auto inner = explained(target)) return answer_explanation(*inner, source, now);
  if (target.segments[1] == kExternalGroup) return answer_external(target, source, now);
  auto query = parse_query(target);
  if (!query) return error_response(query.error());
  auto answer = source.query(*query, now);
  if (!answer) return error_response(answer.error());
  // Without a Content-Type client-go would take the body for protobuf.
  return http::text_response(200, metric_value_list(*query, *answer), "application/json");
}

}  // namespace mcpfleet::adapter
