#include "metrics-adapter/explain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/time_text.h"
#include "metrics/series_answer.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;

// Of a value that may have thousands of series.
constexpr std::size_t kMostItems = 100;

json seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void add_value(json& object, const Result<metrics::Value>& value) {
  if (!value) {
    object["reason"] = value.error().message;
    return;
  }
  object["value"] = format_quantity_milli(value->milli);
  object["timestamp"] = to_rfc3339(value->timestamp);
  if (value->window > Duration(0)) object["windowSeconds"] = seconds(value->window);
}

void add_counts(json& object, const metrics::PodView& view) {
  object["coveredSeconds"] = seconds(view.covered);
  object["requests"] = view.total.requests;
  object["errors"] = view.total.errors;
  object["durations"] = view.total.durations.count();
  if (view.in_flight) object["inFlight"] = *view.in_flight;
  if (view.sessions) object["sessions"] = *view.sessions;
}

json pod_object(const PodInput& pod, metrics::Instant now) {
  json object{{"name", pod.target->name},   {"state", to_string(stage_of(*pod.target))},
              {"ready", pod.target->ready}, {"terminating", pod.target->deleting},
              {"outdated", pod.outdated},   {"counted", pod.counted}};
  if (!pod.target->ip.empty())
    object["target"] =
        "http://" + pod.target->ip + ":" + std::to_string(pod.target->port) + pod.target->path;
  if (const auto& view = pod.view) {
    object["scrapeAgeSeconds"] = seconds(now.monotonic - view->at.monotonic);
    add_counts(object, *view);
  }
  if (!pod.health->failure.empty()) object["failure"] = pod.health->failure;
  if (pod.health->failing_since)
    object["failingSeconds"] = seconds(now.monotonic - *pod.health->failing_since);
  add_value(object, pod.value);
  return object;
}

json pod_objects(const std::vector<PodInput>& pods, metrics::Instant now) {
  auto list = json::array();
  for (const auto& pod : pods) list.push_back(pod_object(pod, now));
  return list;
}

std::string formula_of(const std::string& metric) {
  if (metric == kRecommendedReplicas)
    return "status.scaling.recommendedReplicas of the MCPServer, which the operator writes";
  if (const auto ours = metrics::parse_metric(metric)) return std::string(metrics::formula(*ours));
  if (const auto count = parse_pod_count(metric)) return std::string(formula(*count));
  return metrics::series_formula(metric);
}

json inquiry_object(const promql::Inquiry& inquiry) {
  json object{{"query", inquiry.promql}, {"series", inquiry.series}};
  if (inquiry.discovery_age) object["discoveryAgeSeconds"] = seconds(*inquiry.discovery_age);
  return object;
}

json frame(const std::string& metric) {
  return {{"kind", "MetricExplanation"},
          {"apiVersion", std::string(kOwnGroup) + "/" + std::string(versions_of(kOwnGroup)[0])},
          {"metric", metric}};
}

json external_frame(const ExternalQuery& query, Duration max_age) {
  auto body = frame(query.path.metric);
  body["namespace"] = query.path.namespace_;
  body["labelSelector"] = query.labels_text;
  body["maxAgeSeconds"] = seconds(max_age);
  body["items"] = json::array();
  return body;
}

// Whatever a pod's failure quotes, the answer is text.
std::string text_of(const json& body) {
  return body.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::int64_t plus(std::int64_t sum, const metrics::Value& value) {
  return std::clamp(sum + value.milli, -kMaxMilli, kMaxMilli);
}

json external_item(const std::map<std::string, std::string>& labels,
                   const Result<metrics::Value>& value, metrics::Instant now) {
  json item{{"metricLabels", labels}};
  add_value(item, value);
  // Prometheus is asked after the request's `now`, so that its values may be a little younger.
  if (value) item["ageSeconds"] = seconds(std::max(Duration{0}, now.wall - value->timestamp));
  return item;
}

}  // namespace

std::string explanation_body(const MetricQuery& query, const Explanation& explanation,
                             metrics::Instant now) {
  auto body = frame(query.path.metric);
  body["describedObject"] = {{"resource", query.path.resource},
                             {"namespace", query.path.namespace_},
                             {"name", query.path.name}};
  body["maxAgeSeconds"] = seconds(explanation.terms.max_age);
  body["pods"] = pod_objects(explanation.pods, now);
  if (explanation.prometheus) {
    body["formula"] = explanation.prometheus->promql;
    body["prometheus"] = inquiry_object(*explanation.prometheus);
  } else {
    body["formula"] = formula_of(query.path.metric);
    body["windowSeconds"] = seconds(explanation.terms.window);
  }
  if (!explanation.answer) {
    body["reason"] = explanation.answer.error().message;
  } else if (explanation.answer->items.size() == 1) {
    add_value(body, explanation.answer->items.front().value);
  }
  return text_of(body);
}

std::string explanation_body(const ExternalQuery& query, const ExternalExplanation& explanation,
                             metrics::Instant now) {
  auto body = external_frame(query, explanation.terms.max_age);
  body["formula"] = formula_of(query.path.metric);
  body["windowSeconds"] = seconds(explanation.terms.window);
  for (const auto& input : explanation.servers) {
    auto item = external_item({{"server", input.server->name}}, input.value, now);
    item["pods"] = pod_objects(input.pods, now);
    body["items"].push_back(std::move(item));
  }
  if (!explanation.answer) {
    body["reason"] = explanation.answer.error().message;
    return text_of(body);
  }
  std::int64_t sum = 0;
  for (const auto& item : explanation.answer->items) sum = plus(sum, item.value);
  body["sum"] = format_quantity_milli(sum);
  return text_of(body);
}

std::string explanation_body(const ExternalQuery& query, const PrometheusExplanation& explanation,
                             metrics::Instant now) {
  auto body = external_frame(query, explanation.max_age);
  body["formula"] = explanation.inquiry.promql;
  body["prometheus"] = inquiry_object(explanation.inquiry);
  if (!explanation.values) {
    body["reason"] = explanation.values.error().message;
    return text_of(body);
  }
  std::int64_t sum = 0;
  for (const auto& [labels, value] : *explanation.values) {
    sum = plus(sum, value);
    if (body["items"].size() < kMostItems)
      body["items"].push_back(external_item(labels, value, now));
  }
  body["sum"] = format_quantity_milli(sum);
  return text_of(body);
}

}  // namespace mcpfleet::adapter
