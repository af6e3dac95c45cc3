#include "base/quantity.h"
#include "desired/parts.h"

namespace mcpfleet::desired {
namespace {

constexpr const char* kServerContainer = "server";

Json container_resource(const char* resource, int percent) {
  return {{"type", "ContainerResource"},
          {"containerResource",
           {{"name", resource},
            {"container", kServerContainer},
            {"target", {{"type", "Utilization"}, {"averageUtilization", percent}}}}}};
}

Json pods_metric(const char* name, std::int64_t milli) {
  return {
      {"type", "Pods"},
      {"pods",
       {{"metric", {{"name", name}}},
        {"target", {{"type", "AverageValue"}, {"averageValue", format_quantity_milli(milli)}}}}}};
}

// AverageValue "1": the HPA computes ceil(recommendation / 1). A Value target would multiply by the
// ready pods.
Json recommendation(const fleet::MCPServer& server) {
  return {{"type", "Object"},
          {"object",
           {{"describedObject",
             {{"apiVersion", fleet::kApiVersion}, {"kind", fleet::kKind}, {"name", server.name}}},
            {"metric", {{"name", "mcp_recommended_replicas"}}},
            {"target", {{"type", "AverageValue"}, {"averageValue", "1"}}}}}};
}

std::string not_requested(const char* target, const char* resource) {
  return std::string("spec.autoscaling.targets.") + target + " is left out, for " +
         "spec.runtime.resources requests no " + resource;
}

}  // namespace

Json hpa_metrics(const fleet::MCPServer& server, std::vector<std::string>& notes) {
  Json metrics = Json::array();
  const fleet::Targets& targets = server.autoscaling->targets;
  if (targets.cpu_utilization) {
    if (server.runtime.requests_cpu)
      metrics.push_back(container_resource("cpu", *targets.cpu_utilization));
    else
      notes.push_back(not_requested("cpuUtilization", "cpu"));
  }
  if (targets.memory_utilization) {
    if (server.runtime.requests_memory)
      metrics.push_back(container_resource("memory", *targets.memory_utilization));
    else
      notes.push_back(not_requested("memoryUtilization", "memory"));
  }
  if (targets.requests_per_second_milli)
    metrics.push_back(pods_metric("mcp_requests_per_second", *targets.requests_per_second_milli));
  if (targets.concurrency_milli)
    metrics.push_back(pods_metric("mcp_requests_in_flight", *targets.concurrency_milli));
  if (!server.autoscaling->rules.empty()) metrics.push_back(recommendation(server));
  return metrics;
}

Json hpa(const fleet::MCPServer& server, const Context& context, Json metrics,
         std::vector<std::string>& notes) {
  const fleet::Autoscaling& autoscaling = *server.autoscaling;
  return {{"apiVersion", "autoscaling/v2"},
          {"kind", "HorizontalPodAutoscaler"},
          {"metadata", child_metadata(server, server.name)},
          {"spec",
           {{"scaleTargetRef",
             {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", server.name}}},
            {"minReplicas", autoscaling.min_replicas},
            {"maxReplicas", autoscaling.max_replicas},
            {"metrics", std::move(metrics)},
            {"behavior", hpa_behavior(autoscaling, context.hpa_tolerance, notes)}}}};
}

}  // namespace mcpfleet::desired
