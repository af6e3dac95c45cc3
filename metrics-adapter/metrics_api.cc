#include "metrics-adapter/metrics_api.h"

#include "base/quantity.h"
#include "base/time_text.h"
#include "metrics-adapter/status_body.h"

namespace mcpfleet::adapter {
namespace {

constexpr std::string_view kHead =
    R"({"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2","metadata":{},"items":[)";

// What is the same for all items of an answer.
struct ItemFrame {
  std::string before_name;
  std::string before_time;
};

ItemFrame make_frame(const MetricQuery& query) {
  ItemFrame frame;
  const bool pods = query.path.resource == kPodsResource;
  frame.before_name = R"({"describedObject":{"kind":)";
  frame.before_name += pods ? R"("Pod")" : R"("MCPServer")";
  frame.before_name += R"(,"namespace":)";
  append_json_string(frame.before_name, query.path.namespace_);
  frame.before_name += R"(,"name":)";
  frame.before_time = R"(,"apiVersion":)";
  frame.before_time += pods ? R"("/v1")" : R"("mcpfleet.dev/v1alpha1")";
  frame.before_time += R"(},"metric":{"name":)";
  append_json_string(frame.before_time, query.path.metric);
  frame.before_time += R"(,"selector":)" + query.metric_labels.to_json() + R"(},"timestamp":")";
  return frame;
}

void append_item(std::string& out, const ItemFrame& frame, const MetricItem& item) {
  out += frame.before_name;
  append_json_string(out, item.name);
  out += frame.before_time;
  out += to_rfc3339(item.value.timestamp);
  out += '"';
  const auto window = std::chrono::round<std::chrono::seconds>(item.value.window).count();
  if (item.value.window.count() > 0)
    out += R"(,"windowSeconds":)" + std::to_string(std::max<std::int64_t>(1, window));
  out += R"(,"value":")" + format_quantity_milli(item.value.milli) + "\"}";
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

bool is_served(const Target& target) {
  const auto& group = target.segments[1];
  return (group == kCustomGroup || group == kOwnGroup) && target.segments[2] == kVersion;
}

}  // namespace

std::string metric_value_list(const MetricQuery& query, const MetricAnswer& answer) {
  const auto frame = make_frame(query);
  std::string body(kHead);
  body.reserve(kHead.size() + 8 + answer.items.size() * 320);
  for (const auto& item : answer.items) {
    if (&item != &answer.items.front()) body += ',';
    append_item(body, frame, item);
  }
  body += "]}\n";
  return body;
}

http::Response answer_metric_request(const Target& target, const MetricSource& source,
                                     metrics::Instant now) {
  if (!is_served(target))
    return status_response(404, "the server could not find the requested resource");
  auto query = parse_query(target);
  if (!query) return error_response(query.error());
  auto answer = source.query(*query, now);
  if (!answer) return error_response(answer.error());
  // Without a Content-Type client-go would take the body for protobuf.
  return http::text_response(200, metric_value_list(*query, *answer), "application/json");
}

}  // namespace mcpfleet::adapter
