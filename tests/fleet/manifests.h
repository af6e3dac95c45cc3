// Manifests that several tests start from.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace mcpfleet::fleet {

// The least that is accepted.
inline nlohmann::json minimal() {
  return nlohmann::json::parse(R"({
    "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer",
    "metadata": {"name": "time", "namespace": "tools", "uid": "u-1", "generation": 3},
    "spec": {"source": {"containerImage": {"ref": "localhost/time:1"}}}})");
}

// Every field of the schema is set, but for those that exclude each other: see manifests().
inline nlohmann::json full() {
  nlohmann::json object = minimal();
  object["spec"] = nlohmann::json::parse(R"({
    "source": {"type": "ContainerImage", "containerImage": {
      "ref": "localhost/time:1", "pullPolicy": "IfNotPresent", "imagePullSecrets": [{"name": "pull"}]}},
    "transport": {"type": "stdio", "allowedOrigins": ["https://app.example.com", "*"],
      "stdio": {"mode": "pooled", "maxProcesses": 7, "poolSize": 3, "hangTimeout": "90s", "maxProcessMemory": "512Mi"},
      "sse": {"path": "/events", "mode": "shared", "maxConnections": 5, "hangTimeout": "30s"}},
    "config": {"port": 3001, "path": "/v1/mcp", "command": ["serve"], "arguments": ["--fast"],
      "env": [{"name": "A", "value": "b"}, {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
      "envFrom": [{"prefix": "P_", "configMapRef": {"name": "settings", "optional": true}},
                  {"secretRef": {"name": "tokens", "optional": false}}],
      "storage": [
        {"name": "keys", "mountPath": "/keys", "readOnly": true, "secret": {"name": "api-keys", "optional": true,
          "items": [{"key": "a", "path": "a.pem", "mode": 256}]}},
        {"name": "rules", "mountPath": "/rules", "configMap": {"name": "rules", "optional": false,
          "items": [{"key": "r", "path": "r.yaml", "mode": 256}]}},
        {"name": "data", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "data-0"}},
        {"name": "cache", "mountPath": "/cache", "emptyDir": {"sizeLimit": "1Gi"}}]},
    "runtime": {"replicas": 4, "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}},
      "podTemplate": {"metadata": {"labels": {"team": "search"}, "annotations": {"a": "b"}},
                      "spec": {"nodeSelector": {"disk": "ssd"}}}},
    "disruption": {"maxUnavailable": "25%"},
    "network": {
      "ingressFrom": [{"podSelector": {"matchLabels": {"app": "agent"}}, "namespaceSelector": {},
                       "ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
      "egressTo": [{"podSelector": {}, "namespaceSelector": {"matchLabels": {"a": "b"}},
                    "ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]},
    "sessions": {"drainTimeout": "5s", "idleTimeout": "1m30s", "maxPerReplica": 60},
    "proxy": {
      "loadBalancing": {"policy": "Weighted", "weights": [{"zone": "b", "weight": 4}]},
      "timeouts": {"connect": "2s", "call": "10m", "write": "7s", "read": "8s", "idle": "1m"},
      "connectionPool": {"minConnections": 1, "maxConnections": 9, "acquireTimeout": "2s", "healthInterval": "5s"},
      "limits": {"maxInFlight": 20, "maxSessions": 30, "maxQueue": 40, "queueTimeout": "5s",
                 "rates": [{"per": "Tool", "tool": "search", "calls": 5, "period": "1m"}]}},
    "autoscaling": {"mode": "DryRun", "actuator": "Operator", "minReplicas": 2, "maxReplicas": 9,
      "targets": {"cpuUtilization": 60, "memoryUtilization": 70, "requestsPerSecond": "250m", "concurrency": 5,
                  "sessions": 20, "latency": {"quantile": "p99", "value": "250ms"}},
      "panic": {"window": "5s", "stableWindow": "50s", "thresholdPercent": 150},
      "schedule": [{"name": "office", "start": "0 8 * * 1-5", "duration": "10h", "minReplicas": 5, "ramp": "15m"}],
      "forecast": {"season": "168h", "lookahead": "5m"},
      "missingData": [{"target": "latency", "action": "LastKnownGood", "maxAge": "2m"}],
      "rules": [
        {"name": "slow", "metric": "mcp_request_duration_seconds_p95", "tool": "search", "operator": ">=",
         "threshold": "200m", "action": "ScaleUp", "amount": {"percent": 50}, "window": "30s", "cooldown": "15s"},
        {"name": "calm", "metric": "mcp_requests_in_flight", "tool": "search", "operator": "<", "threshold": 1,
         "action": "ScaleDown", "amount": {"pods": 2}, "window": "60s", "cooldown": "60s"}],
      "behavior": {
        "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "tolerance": "50m",
                    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]},
        "scaleDown": {"stabilizationWindowSeconds": 10, "selectPolicy": "Min", "tolerance": "0",
                      "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}}}})");
  return object;
}

// The other one of fields that exclude each other.
inline nlohmann::json full_by_minimum() {
  nlohmann::json object = full();
  object["spec"]["disruption"] = {{"minAvailable", 1}};
  return object;
}

inline nlohmann::json full_of_workload() {
  nlohmann::json object = minimal();
  object["spec"]["source"] = nlohmann::json::parse(R"({"type": "WorkloadRef",
    "workloadRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "search"}})");
  object["spec"]["autoscaling"] = full()["spec"]["autoscaling"];
  return object;
}

// Together they have every field of the schema.
inline std::vector<nlohmann::json> manifests() {
  return {full(), full_by_minimum(), full_of_workload()};
}

// The least that is accepted as an MCPGateway.
inline nlohmann::json minimal_gateway() {
  return nlohmann::json::parse(R"({
    "apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPGateway",
    "metadata": {"name": "main", "namespace": "tools", "uid": "g-1", "generation": 2}, "spec": {}})");
}

inline nlohmann::json full_gateway() {
  nlohmann::json object = minimal_gateway();
  object["spec"] = nlohmann::json::parse(R"({
    "serverSelector": {"matchLabels": {"team": "search"}, "matchExpressions": [
      {"key": "tier", "operator": "NotIn", "values": ["test", "lab"]}]},
    "namespaces": {"from": "All"},
    "replicas": 3,
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}},
    "service": {"type": "LoadBalancer", "port": 8443, "annotations": {"example.com/internal": "true"}},
    "tls": {"secretName": "gateway-tls"},
    "loadBalancing": {"policy": "LeastConnections", "weights": [{"zone": "a", "weight": 3}]},
    "health": {"type": "MCP", "interval": "20s", "timeout": "2s", "unhealthyThreshold": 4, "healthyThreshold": 1},
    "ejection": {"consecutiveFailures": 7, "baseTime": "10s", "maxTime": "2m", "maxPercent": 30, "slowStart": "15s"},
    "timeouts": {"connect": "1s", "call": "0s", "write": "9s", "read": "3m", "idle": "2m"},
    "connectionPool": {"minConnections": 3, "maxConnections": 70, "acquireTimeout": "8s", "healthInterval": "20s"},
    "retries": {"attempts": 2, "backoff": "250ms"},
    "limits": {"maxInFlight": 200, "maxSessions": 300, "maxQueue": 0, "queueTimeout": "3s", "rates": [
      {"per": "Caller", "tool": "search", "calls": 10, "period": "1m"}]},
    "accessLog": {"sample": 1},
    "drainTimeout": "45s",
    "sessionKeys": {"revision": 4},
    "disruption": {"maxUnavailable": "50%"},
    "podTemplate": {"metadata": {"labels": {"team": "search"}, "annotations": {"a": "b"}},
                    "spec": {"nodeSelector": {"disk": "ssd"}}}})");
  return object;
}

inline nlohmann::json full_gateway_by_minimum() {
  nlohmann::json object = full_gateway();
  object["spec"]["disruption"] = {{"minAvailable", 1}};
  return object;
}

// Together they have every field of the schema.
inline std::vector<nlohmann::json> gateway_manifests() {
  return {full_gateway(), full_gateway_by_minimum()};
}

}  // namespace mcpfleet::fleet
