#include "desired/observed.h"

#include <algorithm>
#include <charconv>

#include "desired/desired.h"
#include "desired/pod_problem.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {
namespace {

using fleet::Json;
using fleet::list_of;
using fleet::member;
using fleet::number_of;
using fleet::text_of;

Result<Json> parse(std::string_view json, const char* kind) {
  auto parsed = fleet::parse_json(json, fleet::kMaxObjectBytes);
  if (!parsed) return fail(parsed.error().context(std::string("cannot read the ") + kind));
  return parsed;
}

int count_of(const Json& object, std::string_view key) {
  return static_cast<int>(std::clamp<std::int64_t>(number_of(object, key), 0, 1'000'000));
}

std::vector<ForeignCondition> conditions_of(const Json& status) {
  std::vector<ForeignCondition> conditions;
  for (const Json& item : list_of(status, "conditions"))
    conditions.push_back({text_of(item, "type"), text_of(item, "status"), text_of(item, "reason"),
                          text_of(item, "message")});
  return conditions;
}

std::string controller_of(const Json& metadata) {
  for (const Json& owner : list_of(metadata, "ownerReferences"))
    if (fleet::truth_of(owner, "controller")) return text_of(owner, "uid");
  return {};
}

// Another manager's entry decides over ours: with two owners, leaving the field out keeps its
// value.
ReplicasOwner replicas_owner(const Json& metadata) {
  ReplicasOwner owner = ReplicasOwner::Ours;
  for (const Json& entry : list_of(metadata, "managedFields")) {
    const Json& fields = member(member(entry, "fieldsV1"), "f:spec");
    if (!fields.is_object() || !fields.contains("f:replicas")) continue;
    const std::string manager = text_of(entry, "manager");
    const bool scale = text_of(entry, "subresource") == "scale";
    if (manager == kFieldManager && !scale) continue;
    if (scale && (manager == "kube-controller-manager" || manager == kFieldManager))
      return ReplicasOwner::Autoscaler;
    owner = ReplicasOwner::Other;
  }
  return owner;
}

std::optional<int> whole_number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void read_counts(const Json& object, ReplicaCounts& counts) {
  const Json& status = member(object, "status");
  counts.generation = number_of(member(object, "metadata"), "generation");
  counts.observed_generation = number_of(status, "observedGeneration");
  counts.spec_replicas = count_of(member(object, "spec"), "replicas");
  counts.replicas = count_of(status, "replicas");
  counts.updated_replicas = count_of(status, "updatedReplicas");
  counts.ready_replicas = count_of(status, "readyReplicas");
  counts.available_replicas = count_of(status, "availableReplicas");
  counts.conditions = conditions_of(status);
}

// "tier in (a,b)", "!old", as the API server reads it in a query.
std::string expression_text(const Json& expression) {
  const std::string key = text_of(expression, "key");
  const std::string op = text_of(expression, "operator");
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  std::string values;
  for (const Json& value : list_of(expression, "values"))
    if (value.is_string()) values += (values.empty() ? "" : ",") + value.get<std::string>();
  return key + (op == "In" ? " in (" : " notin (") + values + ")";
}

std::string selector_text(const Json& selector) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ",") + part; };
  const Json& labels = member(selector, "matchLabels");
  if (labels.is_object())
    for (const auto& [key, value] : labels.items()) add(key + "=" + text_of(labels, key));
  for (const Json& expression : list_of(selector, "matchExpressions"))
    add(expression_text(expression));
  return text;
}

// A MetricSpec and a MetricStatus have the same shape but for "target" and "current".
const Json& source_of(const Json& metric) {
  for (const char* key : {"containerResource", "resource", "pods", "object", "external"})
    if (member(metric, key).is_object()) return member(metric, key);
  return member(metric, "");
}

std::string metric_name(const Json& source) {
  const std::string name = text_of(source, "name");
  return name.empty() ? text_of(member(source, "metric"), "name") : name;
}

// The one value of a MetricTarget or MetricValueStatus that is set.
std::string metric_value(const Json& value) {
  if (member(value, "averageUtilization").is_number_integer())
    return std::to_string(number_of(value, "averageUtilization")) + "%";
  const std::string average = text_of(value, "averageValue");
  return average.empty() ? text_of(value, "value") : average;
}

std::vector<HpaMetric> metrics_of(const Json& hpa) {
  std::vector<HpaMetric> metrics;
  for (const Json& wanted : list_of(member(hpa, "spec"), "metrics")) {
    const Json& source = source_of(wanted);
    HpaMetric metric{metric_name(source), {}, metric_value(member(source, "target"))};
    for (const Json& seen : list_of(member(hpa, "status"), "currentMetrics"))
      if (member(seen, "type") == member(wanted, "type") &&
          metric_name(source_of(seen)) == metric.name)
        metric.current = metric_value(member(source_of(seen), "current"));
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace

Result<ObservedDeployment> decode_deployment(std::string_view text) {
  const auto json = parse(text, "Deployment");
  if (!json) return fail(json.error());
  const Json& metadata = member(*json, "metadata");
  ObservedDeployment result;
  read_counts(*json, result);
  result.namespace_ = text_of(metadata, "namespace");
  result.name = text_of(metadata, "name");
  result.uid = text_of(metadata, "uid");
  result.controller_uid = controller_of(metadata);
  result.replicas_owner = replicas_owner(metadata);
  result.runtime_replicas =
      whole_number(text_of(member(metadata, "annotations"), kRuntimeReplicasAnnotation));
  return result;
}

Result<ObservedWorkload> decode_workload(std::string_view text) {
  const auto json = parse(text, "workload");
  if (!json) return fail(json.error());
  ObservedWorkload result;
  read_counts(*json, result);
  result.kind = text_of(*json, "kind");
  result.name = text_of(member(*json, "metadata"), "name");
  result.found = true;
  result.selector = selector_text(member(member(*json, "spec"), "selector"));
  return result;
}

Result<ObservedHpa> decode_hpa(std::string_view text) {
  const auto json = parse(text, "HorizontalPodAutoscaler");
  if (!json) return fail(json.error());
  const Json& metadata = member(*json, "metadata");
  const Json& target = member(member(*json, "spec"), "scaleTargetRef");
  const Json& status = member(*json, "status");
  ObservedHpa result;
  result.namespace_ = text_of(metadata, "namespace");
  result.name = text_of(metadata, "name");
  result.uid = text_of(metadata, "uid");
  result.controller_uid = controller_of(metadata);
  result.target_kind = text_of(target, "kind");
  result.target_name = text_of(target, "name");
  result.current_replicas = count_of(status, "currentReplicas");
  result.desired_replicas = count_of(status, "desiredReplicas");
  result.metrics = metrics_of(*json);
  result.conditions = conditions_of(status);
  return result;
}

Result<ObservedPod> decode_pod(std::string_view text) {
  const auto json = parse(text, "Pod");
  if (!json) return fail(json.error());
  const Json& metadata = member(*json, "metadata");
  ObservedPod result;
  result.namespace_ = text_of(metadata, "namespace");
  result.name = text_of(metadata, "name");
  result.uid = text_of(metadata, "uid");
  const Json& labels = member(metadata, "labels");
  result.owner = text_of(labels, kServerLabel);
  if (result.owner.empty()) result.owner = text_of(labels, kGatewayLabel);
  result.template_hash = text_of(labels, "pod-template-hash");
  result.ip = text_of(member(*json, "status"), "podIP");
  result.deleting = member(metadata, "deletionTimestamp").is_string();
  for (const auto& condition : conditions_of(member(*json, "status")))
    if (condition.type == "Ready") result.ready = condition.status == "True";
  if (!result.deleting && !result.ready) result.problem = pod_problem(*json);
  return result;
}

}  // namespace mcpfleet::desired
