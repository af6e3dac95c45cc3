#include "scaling/hpa_messages.h"

#include <string>
#include <string_view>

#include "scaling/hpa.h"

namespace mcpfleet::scaling {
namespace {

bool of_resource(const HpaMetric& metric) {
  return metric.source == HpaSource::Resource || metric.source == HpaSource::ContainerResource;
}

// What a count was made from: "cpu resource utilization (percentage of request)".
std::string described(const HpaMetric& metric) {
  switch (metric.source) {
    case HpaSource::Resource:
    case HpaSource::ContainerResource:
      if (metric.target != HpaTarget::Utilization) return metric.name + " resource";
      return metric.name +
             (metric.source == HpaSource::Resource ? " resource utilization"
                                                   : " container resource utilization") +
             " (percentage of request)";
    case HpaSource::Pods:
      return "pods metric " + metric.name;
    case HpaSource::Object:
      // Kubernetes calls it an external metric where the target is an average.
      if (metric.target == HpaTarget::Value) return metric.object_kind + " metric " + metric.name;
      return "external metric " + metric.name;
    case HpaSource::External:
      return "external metric " + metric.name;
  }
  return {};
}

const char* api_name(const HpaMetric& metric) {
  if (of_resource(metric)) return "resource metrics API";
  return metric.source == HpaSource::External ? "external metrics API" : "custom metrics API";
}

// What was asked of the metrics API, in front of its error.
std::string asked(const HpaMetric& metric) {
  if (of_resource(metric)) return "unable to get metrics for resource " + metric.name + ": ";
  if (metric.source == HpaSource::External) return "unable to get external metric: ";
  return "unable to get metric " + metric.name + ": ";
}

// What failed as a whole; Kubernetes says it of resources only.
std::string attempted(const HpaMetric& metric) {
  if (!of_resource(metric)) return {};
  return "failed to get " + metric.name +
         (metric.target == HpaTarget::AverageValue ? " usage: " : " utilization: ");
}

std::string explained(const HpaMetric& metric, HpaProblem problem, std::string_view error) {
  switch (problem) {
    case HpaProblem::None:
      return {};
    case HpaProblem::Unanswered:
      return asked(metric) + "unable to fetch metrics from " + api_name(metric) + ": " +
             std::string(error);
    case HpaProblem::NoValues:
      return asked(metric) + "no metrics returned from " + api_name(metric);
    case HpaProblem::NoPods: {
      const bool of_object =
          metric.source == HpaSource::Object || metric.source == HpaSource::External;
      return std::string(of_object ? "unable to calculate ready pods: " : "") +
             "no pods returned by selector while calculating replica count";
    }
    case HpaProblem::NoneThatCount:
      return "did not receive metrics for targeted pods (pods might be unready)";
    case HpaProblem::NoRequest:
      return "missing request for " + metric.name;
    case HpaProblem::NothingAsked:
      return "no metrics returned matched known pods";
  }
  return {};
}

}  // namespace

const char* failure_reason(const HpaMetric& metric) {
  switch (metric.source) {
    case HpaSource::Resource:
      return "FailedGetResourceMetric";
    case HpaSource::ContainerResource:
      return "FailedGetContainerResourceMetric";
    case HpaSource::Pods:
      return "FailedGetPodsMetric";
    case HpaSource::Object:
      return "FailedGetObjectMetric";
    case HpaSource::External:
      return "FailedGetExternalMetric";
  }
  return "";
}

std::string Hpa::message(HpaConditionType type, const HpaSpec& spec,
                         std::span<const HpaReading> readings) const {
  const HpaCondition& said = condition(type);
  std::string text = said.message;
  if (text == kRescaled) return text + std::to_string(status_desired_);
  if (said.metric < 0) return text;
  const auto at = static_cast<std::size_t>(said.metric);
  if (at >= spec.metrics.size()) return text;
  const HpaMetric& metric = spec.metrics[at];
  if (said.problem == HpaProblem::None) return text + described(metric);
  const std::string_view error = at < readings.size() ? readings[at].error : std::string_view();
  return text + attempted(metric) + explained(metric, said.problem, error);
}

std::string rescale_reason(const HpaDecision& decision, const HpaSpec& spec) {
  if (!decision.rescale) return {};
  switch (decision.why) {
    case HpaDecision::Why::None:
      return {};
    case HpaDecision::Why::AboveMaximum:
      return "Current number of replicas above Spec.MaxReplicas";
    case HpaDecision::Why::BelowMinimum:
      return "Current number of replicas below Spec.MinReplicas";
    case HpaDecision::Why::AboveTarget:
      return described(spec.metrics[static_cast<std::size_t>(decision.metric)]) + " above target";
    case HpaDecision::Why::BelowTarget:
      return "All metrics below target";
  }
  return {};
}

}  // namespace mcpfleet::scaling
