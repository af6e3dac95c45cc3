#include "scaling/hpa_decode.h"

#include <limits>
#include <string>

#include "fleet/json_text.h"
#include "fleet/reader.h"

namespace mcpfleet::scaling {
namespace {

using fleet::Field;

constexpr int kMost = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kMaxItems = 100;
constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxBytes = 1 << 20;

HpaPolicy policy_of(const Field& field) {
  HpaPolicy policy;
  policy.type = field["type"].one_of("", {"Pods", "Percent"}) == "Percent"
                    ? HpaPolicy::Type::Percent
                    : HpaPolicy::Type::Pods;
  policy.value = field["value"].integer(0, 1, kMost);
  policy.period = std::chrono::seconds(field["periodSeconds"].integer(0, 1, 1800));
  return policy;
}

HpaScalingRules rules_of(const Field& field, HpaScalingRules rules) {
  const std::string select = field["selectPolicy"].one_of("Max", {"Max", "Min", "Disabled"});
  if (select == "Min") rules.select = HpaSelect::Min;
  if (select == "Disabled") rules.select = HpaSelect::Disabled;
  if (const Field window = field["stabilizationWindowSeconds"]; window.present())
    rules.window = std::chrono::seconds(window.integer(0, 0, 3600));
  if (const Field policies = field["policies"]; policies.present()) {
    rules.policies.clear();
    for (const Field& policy : policies.items(kMaxItems))
      rules.policies.push_back(policy_of(policy));
  }
  // As Kubernetes turns a quantity into a floating-point number, to the last bit.
  if (const auto milli = field["tolerance"].quantity_milli())
    rules.tolerance = static_cast<double>(*milli) * 0.001;
  return rules;
}

HpaBehavior behavior_of(const Field& field) {
  field.object();
  return {rules_of(field["scaleUp"], HpaScalingRules::default_up()),
          rules_of(field["scaleDown"], HpaScalingRules::default_down())};
}

// `target`, of which the API server lets one value through.
void read_target(const Field& field, HpaMetric& metric) {
  if (const auto average = field["averageValue"].quantity_milli()) {
    metric.target = HpaTarget::AverageValue;
    metric.amount = *average;
  } else if (const auto value = field["value"].quantity_milli()) {
    metric.target = HpaTarget::Value;
    metric.amount = *value;
  } else {
    metric.target = HpaTarget::Utilization;
    metric.amount = field["averageUtilization"].integer(0, 1, kMost);
  }
  const bool of_resource =
      metric.source == HpaSource::Resource || metric.source == HpaSource::ContainerResource;
  const bool of_object = metric.source == HpaSource::Object || metric.source == HpaSource::External;
  if (metric.amount <= 0 || (metric.target == HpaTarget::Utilization && !of_resource) ||
      (metric.target == HpaTarget::Value && !of_object))
    field.refuse("must have a target that is more than 0 and of a type that the metric has");
}

HpaMetric metric_of(const Field& field) {
  HpaMetric metric;
  const std::string type =
      field["type"].one_of("", {"Resource", "ContainerResource", "Pods", "Object", "External"});
  const auto text = [](const Field& from) { return from.text("", 1, kMaxText); };
  if (type == "Resource" || type == "ContainerResource") {
    const Field of = field[type == "Resource" ? "resource" : "containerResource"];
    metric.source = type == "Resource" ? HpaSource::Resource : HpaSource::ContainerResource;
    metric.name = text(of["name"]);
    if (type == "ContainerResource") metric.container = text(of["container"]);
    read_target(of["target"], metric);
    return metric;
  }
  const Field of = field[type == "Pods" ? "pods" : type == "Object" ? "object" : "external"];
  metric.source = type == "Pods"     ? HpaSource::Pods
                  : type == "Object" ? HpaSource::Object
                                     : HpaSource::External;
  metric.name = text(of["metric"]["name"]);
  if (type == "Object") metric.object_kind = text(of["describedObject"]["kind"]);
  read_target(of["target"], metric);
  return metric;
}

HpaSpec spec_of(const Field& field) {
  HpaSpec spec;
  spec.min_replicas = field["minReplicas"].integer(1, 0, kMost);
  if (!field["maxReplicas"].present()) field["maxReplicas"].refuse("must be set");
  spec.max_replicas = field["maxReplicas"].integer(1, 1, kMost);
  if (const auto metrics = field["metrics"].items(kMaxItems); !metrics.empty()) {
    spec.metrics.clear();
    for (const Field& metric : metrics) spec.metrics.push_back(metric_of(metric));
  }
  if (const Field behavior = field["behavior"]; behavior.present())
    spec.behavior = behavior_of(behavior);
  return spec;
}

// Parses `json` and reads it by `read`, as what is called `path` in errors.
template <typename T>
Result<T> decode(std::string_view json, const char* path, T (*read)(const Field&)) {
  const auto parsed = fleet::parse_json(json, kMaxBytes);
  if (!parsed) return fail(parsed.error());
  std::optional<Error> error;
  T value = read(Field(*parsed, path, error));
  if (error) return fail(*error);
  return value;
}

}  // namespace

Result<HpaSpec> decode_hpa(std::string_view json) { return decode(json, "spec", spec_of); }

Result<HpaBehavior> decode_hpa_behavior(std::string_view json) {
  return decode(json, "behavior", behavior_of);
}

}  // namespace mcpfleet::scaling
