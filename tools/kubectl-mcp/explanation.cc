#include "tools/kubectl-mcp/explanation.h"

#include <set>

namespace mcpfleet::kubectl {

std::string latency_metric(fleet::Quantile quantile) {
  const char* suffix = quantile == fleet::Quantile::P50   ? "p50"
                       : quantile == fleet::Quantile::P95 ? "p95"
                                                          : "p99";
  return std::string("mcp_request_duration_seconds_") + suffix;
}

std::vector<MetricKey> metrics_of(const fleet::MCPServer& server) {
  if (!server.autoscaling) return {};
  const auto& targets = server.autoscaling->targets;
  std::set<MetricKey> keys;
  if (targets.requests_per_second_milli) keys.insert({"mcp_requests_per_second", ""});
  if (targets.concurrency_milli) keys.insert({"mcp_requests_in_flight", ""});
  if (targets.sessions_milli) keys.insert({"mcp_active_sessions", ""});
  if (targets.latency) keys.insert({latency_metric(targets.latency->quantile), ""});
  for (const auto& rule : server.autoscaling->rules) keys.insert({rule.metric, rule.tool});
  return {keys.begin(), keys.end()};
}

}  // namespace mcpfleet::kubectl
