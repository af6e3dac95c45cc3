// Explanations of servers that tests have in common.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/time_text.h"
#include "fleet/decode.h"
#include "tools/kubectl-mcp/explanation.h"

namespace mcpfleet::kubectl {

// The moment that all of them are looked at.
inline WallTime noon() { return *parse_rfc3339("2026-07-01T12:00:00Z"); }

inline nlohmann::json manifest(const std::string& spec, const std::string& status) {
  auto object = nlohmann::json::parse(R"j({
    "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer",
    "metadata": {"name": "search", "namespace": "team", "uid": "u-1", "generation": 3},
    "spec": {"source": {"type": "ContainerImage", "containerImage": {"ref": "example.com/search:1"}},
             "transport": {"type": "streamable-http"},
             "runtime": {"resources": {"requests": {"cpu": "100m"}}}}})j");
  object["spec"].update(nlohmann::json::parse(spec));
  object["status"] = nlohmann::json::parse(status);
  return object;
}

inline Explanation explanation(const std::string& spec, const std::string& status) {
  Explanation result;
  auto server = fleet::decode(manifest(spec, status).dump());
  EXPECT_TRUE(server) << server.error().message;
  if (server) result.server = *server;
  result.now = noon();
  return result;
}

inline LiveValue live(double value, int age_seconds = 1) {
  return {.value = value, .time = noon() - std::chrono::seconds(age_seconds)};
}

// Scaled by an HPA, with targets and a rule that has fired.
inline Explanation busy() {
  auto result = explanation(
      R"j({"autoscaling": {"minReplicas": 2, "maxReplicas": 6,
          "targets": {"cpuUtilization": 70, "memoryUtilization": 80, "requestsPerSecond": "100"},
          "rules": [{"name": "slow-search", "metric": "mcp_request_duration_seconds_p95", "tool": "search",
                     "operator": ">", "threshold": "200m", "action": "ScaleUp", "amount": {"pods": 2},
                     "window": "30s", "cooldown": "60s"}]}})j",
      R"j({"observedGeneration": 3, "replicas": 6, "readyReplicas": 4, "selector": "a=b",
          "scaling": {
            "recommendedReplicas": 6, "floor": 6, "mode": "Active",
            "metrics": [{"name": "cpu", "current": "63%", "target": "70%", "time": "2026-07-01T11:59:50Z"},
                        {"name": "mcp_request_duration_seconds_p95 of tool search", "current": "0.41",
                         "target": "> 0.2", "time": "2026-07-01T11:59:50Z"}],
            "rules": [{"name": "slow-search", "lastFired": "2026-07-01T11:58:00Z"}],
            "decisions": [
              {"time": "2026-07-01T11:58:00Z", "from": 4, "to": 6, "by": "rules", "rule": "slow-search",
               "reason": "Threshold exceeded",
               "message": "rule slow-search: mcp_request_duration_seconds_p95 of tool search averaged 0.412 over 30s > 0.2, so 4 → 6 replicas (but maxReplicas is 6)",
               "limits": ["maxReplicas"],
               "inputs": [{"name": "mcp_request_duration_seconds_p95", "value": "412m", "target": "200m", "ageSeconds": 1}]},
              {"time": "2026-07-01T10:40:00Z", "from": 4, "to": 4, "by": "target", "reason": "On target",
               "message": "mcp_requests_per_second 392 over 60s at 4 ready pods is 98 a pod, on the target of 100",
               "inputs": [{"name": "mcp_requests_per_second", "value": "392", "target": "100", "ageSeconds": 0},
                          {"name": "mcp_requests_in_flight", "ageSeconds": 0}]}]
}
, "conditions" : [
  {
    "type" : "Accepted",
    "status" : "True",
    "reason" : "Applied",
    "message" : "the spec is valid and all its objects are applied",
    "lastTransitionTime" : "2026-07-01T08:00:00Z",
    "observedGeneration" : 3
  },
  {
    "type" : "ScalingActive",
    "status" : "True",
    "reason" : "Scaling",
    "message" : "between 2 and 6 replicas",
    "lastTransitionTime" : "2026-07-01T08:00:00Z",
    "observedGeneration" : 3
  },
  {
    "type" : "ScalingLimited",
    "status" : "True",
    "reason" : "AtMaximum",
    "message" : "TooManyReplicas: the desired replica count is more than the maximum replica count",
    "lastTransitionTime" : "2026-07-01T11:58:00Z",
    "observedGeneration" : 3
  },
  {
    "type" : "Ready",
    "status" : "True",
    "reason" : "Serving",
    "message" : "4 of 6 replicas are ready",
    "lastTransitionTime" : "2026-07-01T08:00:00Z",
    "observedGeneration" : 3
  }
]
})j");
  result.live[{"mcp_requests_per_second", ""}] = live(402);
  result.live[{"mcp_request_duration_seconds_p95", "search"}] = live(0.395);
  HpaReport report;
  report.hpa.name = "search";
  report.hpa.current_replicas = 6;
  report.hpa.desired_replicas = 6;
  report.hpa.metrics = {{"cpu", "63%", "70%"}};
  report.hpa.conditions = {
      {"AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"},
      {"ScalingActive", "True", "ValidMetricFound",
       "the HPA was able to successfully calculate a replica count from cpu container resource "
       "utilization (percentage of request)"},
      {"ScalingLimited", "True", "TooManyReplicas",
       "the desired replica count is more than the maximum replica count"}};
  report.last_scaled = noon() - std::chrono::seconds(118);
  report.last_event = Told{noon() - std::chrono::seconds(118),
                           "New size: 6; reason: MCPServer metric mcp_recommended_replicas above "
                           "target"};
  result.hpa = report;
  return result;
}

// The metrics adapter is gone.
inline Explanation blind() {
  auto result = busy();
  const std::string why =
      "the metrics API metrics.mcpfleet.dev does not answer (HTTP status 503); is "
      "mcp-metrics-adapter running?";
  for (auto& [key, value] : result.live) value = {.why = why};
  result.server.status.scaling->metrics.clear();
  result.hpa->hpa.metrics.clear();
  result.hpa->hpa.conditions[1] = {"ScalingActive", "False", "FailedGetPodsMetric",
                                   "the HPA was unable to compute the replica count: no metrics "
                                   "returned from custom metrics API"};
  for (auto& condition : result.server.status.conditions) {
    if (condition.type != "ScalingActive") continue;
    condition.status = fleet::ConditionStatus::False;
    condition.reason = "HpaInactive";
    condition.message =
        "HorizontalPodAutoscaler: FailedGetPodsMetric: the HPA was unable to compute the replica "
        "count: no metrics returned from custom metrics API";
    condition.last_transition = noon() - std::chrono::seconds(290);
  }
  return result;
}

// Everything that looks ahead, on trial, by the operator itself.
inline Explanation trial() {
  auto result = explanation(
      R"j({"autoscaling": {"mode": "DryRun", "actuator": "Operator", "minReplicas": 1, "maxReplicas": 20,
          "targets": {"concurrency": 8, "sessions": 50, "latency": {"quantile": "p95", "value": "200ms"}},
          "panic": {"window": "6s", "stableWindow": "60s", "thresholdPercent": 200},
          "schedule": [{"name": "office", "start": "0 8 * * 1-5", "duration": "10h", "minReplicas": 5, "ramp": "15m"}],
          "forecast": {"season": "24h", "lookahead": "2m"}}})j",
      R"j({"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "selector": "a=b",
          "scaling": {"recommendedReplicas": 3, "mode": "DryRun", "wouldBe": 3, "decisions": [
            {"time": "2026-07-01T11:59:18Z", "from": 1, "to": 3, "by": "panic", "reason": "Panicking",
             "message": "mcp_requests_in_flight 22 over 6s at 1 ready pod is 22 a pod, more than 200 % of the target of 8, so 1 → 3 replicas would be",
             "inputs": [{"name": "mcp_requests_in_flight", "value": "22", "target": "8", "ageSeconds": 1}]}]},
          "conditions": [{"type": "ScalingActive", "status": "False", "reason": "DryRun",
             "message": "spec.autoscaling.mode is DryRun: the replicas stay as they are; there would be 3",
             "lastTransitionTime": "2026-06-28T12:00:00Z", "observedGeneration": 2}]})j");
  result.live[{"mcp_requests_in_flight", ""}] = live(22);
  result.live[{"mcp_active_sessions", ""}] = live(31, 3);
  result.live[{"mcp_request_duration_seconds_p95", ""}] = {
      .why = "only 2 requests in the last 30s: a quantile of fewer than 5 is not served"};
  return result;
}

// Nobody asked for autoscaling.
inline Explanation still() {
  return explanation(
      R"j({"runtime": {"replicas": 1}})j",
      R"j({"observedGeneration": 3, "replicas": 1, "readyReplicas": 1, "selector": "a=b",
      "conditions": [{"type": "ScalingActive", "status": "False", "reason": "NotConfigured",
                      "message": "spec.autoscaling is not set", "lastTransitionTime": "2026-07-01T08:00:00Z"},
                     {"type": "ScalingLimited", "status": "False", "reason": "NotConfigured",
                      "message": "spec.autoscaling is not set", "lastTransitionTime": "2026-07-01T08:00:00Z"}]})j");
}

}  // namespace mcpfleet::kubectl
