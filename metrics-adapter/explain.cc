#include "metrics-adapter/explain.h"

#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/time_text.h"
#include "metrics/series_answer.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;

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
  json object{{"name", pod.target->name},
              {"ready", pod.target->ready},
              {"terminating", pod.target->deleting}};
  if (!pod.target->ip.empty())
    object["target"] =
        "http://" + pod.target->ip + ":" + std::to_string(pod.target->port) + pod.target->path;
  if (const auto& view = pod.health->view) {
    object["scrapeAgeSeconds"] = seconds(now.monotonic - view->at.monotonic);
    add_counts(object, *view);
  }
  if (!pod.health->failure.empty()) object["failure"] = pod.health->failure;
  if (pod.health->failing_since)
    object["failingSeconds"] = seconds(now.monotonic - *pod.health->failing_since);
  add_value(object, pod.value);
  return object;
}

std::string formula_of(const MetricQuery& query, const Explanation& explanation) {
  if (!explanation.formula.empty()) return explanation.formula;
  if (query.path.metric == kRecommendedReplicas)
    return "status.scaling.recommendedReplicas of the MCPServer, which the operator writes";
  const auto metric = metrics::parse_metric(query.path.metric);
  return metric ? std::string(metrics::formula(*metric))
                : metrics::series_formula(query.path.metric);
}

}  // namespace

std::string explanation_body(const MetricQuery& query, const Explanation& explanation,
                             metrics::Instant now) {
  json body{{"kind", "MetricExplanation"},
            {"apiVersion", std::string(kOwnGroup) + "/" + std::string(versions_of(kOwnGroup)[0])},
            {"metric", query.path.metric},
            {"describedObject",
             {{"resource", query.path.resource},
              {"namespace", query.path.namespace_},
              {"name", query.path.name}}},
            {"formula", formula_of(query, explanation)},
            {"maxAgeSeconds", seconds(explanation.terms.max_age)},
            {"pods", json::array()}};
  if (explanation.formula.empty()) body["windowSeconds"] = seconds(explanation.terms.window);
  if (!explanation.answer) {
    body["reason"] = explanation.answer.error().message;
  } else if (explanation.answer->items.size() == 1) {
    add_value(body, explanation.answer->items.front().value);
  }
  for (const auto& pod : explanation.pods) body["pods"].push_back(pod_object(pod, now));
  // Whatever a pod's failure quotes, the answer is text.
  return body.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace mcpfleet::adapter
