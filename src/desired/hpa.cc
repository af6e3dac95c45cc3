#include "base/quantity.h"
#include "desired/parts.h"

namespace mcpfleet::desired {
namespace {

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

// Of all containers: the names of somebody else's are not known.
Json pod_resource(const char* resource, int percent) {
  return {{"type", "Resource"},
          {"resource",
           {{"name", resource},
            {"target", {{"type", "Utilization"}, {"averageUtilization", percent}}}}}};
}

std::string not_requested(const char* target, const char* resource) {
  return std::string("spec.autoscaling.targets.") + target + " is left out, for " +
         "spec.runtime.resources requests no " + resource;
}

// Adds a target for a resource; where the pods are ours, only if they request it.
void add_resource(const fleet::MCPServer& server, const char* target, const char* resource,
                  std::optional<int> percent, bool requested, Json& metrics,
                  std::vector<std::string>& notes) {
  if (!percent) return;
  if (server.workload_ref)
    metrics.push_back(pod_resource(resource, *percent));
  else if (requested)
    metrics.push_back(container_resource(resource, *percent));
  else
    notes.push_back(not_requested(target, resource));
}

}  // namespace

Json hpa_metrics(const fleet::MCPServer& server, std::vector<std::string>& notes) {
  Json metrics = Json::array();
  const fleet::Targets& targets = server.autoscaling->targets;
  add_resource(server, "cpuUtilization", "cpu", targets.cpu_utilization,
               server.runtime.requests_cpu, metrics, notes);
  add_resource(server, "memoryUtilization", "memory", targets.memory_utilization,
               server.runtime.requests_memory, metrics, notes);
  if (targets.requests_per_second_milli)
    metrics.push_back(pods_metric("mcp_requests_per_second", *targets.requests_per_second_milli));
  if (targets.concurrency_milli)
    metrics.push_back(pods_metric("mcp_requests_in_flight", *targets.concurrency_milli));
  if (targets.sessions_milli)
    metrics.push_back(pods_metric("mcp_active_sessions", *targets.sessions_milli));
  if (fleet::recommends(*server.autoscaling)) metrics.push_back(recommendation(server));
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
             {{"apiVersion", "apps/v1"},
              {"kind", server.workload_ref ? server.workload_ref->kind : "Deployment"},
              {"name", server.workload_ref ? server.workload_ref->name : server.name}}},
            {"minReplicas", autoscaling.min_replicas},
            {"maxReplicas", autoscaling.max_replicas},
            {"metrics", std::move(metrics)},
            {"behavior", hpa_behavior(autoscaling, context.hpa_tolerance, notes)}}}};
}

}  // namespace mcpfleet::desired
