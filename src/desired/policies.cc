// The small children: ServiceAccount, PodDisruptionBudget, NetworkPolicy, ServiceMonitor.
#include "desired/parts.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {
namespace {

Json port(int number, const char* protocol) { return {{"protocol", protocol}, {"port", number}}; }

// MCP from the peers, from the server's own pods, which pass sessions on to their owner, and from
// the gateways of its namespace: who may make pods there might as well give them the server's
// labels. The gateways of other namespaces have to be among the peers. Metrics from anywhere:
// neither the adapter's nor a Prometheus server's labels are known here, and what they read are
// counts, times and names of tools. The kubelet's probes come from the node, which no policy keeps
// out.
Json ingress(const fleet::MCPServer& server) {
  Json peers = raw(server.network->ingress_from, Json::array());
  peers.push_back({{"podSelector", own_pods(server)}});
  peers.push_back(
      {{"podSelector",
        {{"matchExpressions", Json::array({{{"key", kGatewayLabel}, {"operator", "Exists"}}})}}}});
  return Json::array({{{"from", std::move(peers)}, {"ports", {port(fleet::kMcpPort, "TCP")}}},
                      {{"ports", {port(fleet::kMetricsPort, "TCP")}}}});
}

// To the peers, to the server's own pods, and to DNS wherever it is: a cluster's resolver may be a
// Service, a daemon on the node, or outside.
Json egress(const fleet::MCPServer& server) {
  constexpr int kDns = 53;
  Json rules = Json::array(
      {{{"to", {{{"podSelector", own_pods(server)}}}}, {"ports", {port(fleet::kMcpPort, "TCP")}}},
       {{"ports", {port(kDns, "UDP"), port(kDns, "TCP")}}}});
  // A rule with an empty "to" would mean everybody.
  if (Json peers = raw(server.network->egress_to, Json::array()); !peers.empty())
    rules.push_back({{"to", std::move(peers)}});
  return rules;
}

}  // namespace

Json own_pods(const fleet::MCPServer& server) {
  return {{"matchLabels", {{kServerLabel, server.name}}}};
}

// Its token is mounted by the pods that need it.
Json service_account(const Owner& owner) {
  return {{"apiVersion", "v1"},
          {"kind", "ServiceAccount"},
          {"metadata", child_metadata(owner, owner.name)},
          {"automountServiceAccountToken", false}};
}

Json disruption_budget(const Owner& owner, const fleet::Disruption& disruption, Json selector) {
  // A pod that is not ready serves nobody, and must not hold up the drain of a node.
  Json spec{{"selector", std::move(selector)}, {"unhealthyPodEvictionPolicy", "AlwaysAllow"}};
  if (!disruption.max_unavailable.empty())
    spec["maxUnavailable"] = raw(disruption.max_unavailable, nullptr);
  if (!disruption.min_available.empty())
    spec["minAvailable"] = raw(disruption.min_available, nullptr);
  return {{"apiVersion", "policy/v1"},
          {"kind", "PodDisruptionBudget"},
          {"metadata", child_metadata(owner, owner.name)},
          {"spec", std::move(spec)}};
}

bool restricts_network(const fleet::MCPServer& server) {
  return server.network &&
         !(server.network->ingress_from.empty() && server.network->egress_to.empty());
}

Json network_policy(const fleet::MCPServer& server) {
  Json spec{{"podSelector", own_pods(server)}, {"policyTypes", Json::array()}};
  if (!server.network->ingress_from.empty()) {
    spec["policyTypes"].push_back("Ingress");
    spec["ingress"] = ingress(server);
  }
  if (!server.network->egress_to.empty()) {
    spec["policyTypes"].push_back("Egress");
    spec["egress"] = egress(server);
  }
  return {{"apiVersion", "networking.k8s.io/v1"},
          {"kind", "NetworkPolicy"},
          {"metadata", child_metadata(server, server.name)},
          {"spec", std::move(spec)}};
}

Json service_monitor(const fleet::MCPServer& server) {
  return {{"apiVersion", "monitoring.coreos.com/v1"},
          {"kind", "ServiceMonitor"},
          {"metadata", child_metadata(server, server.name)},
          {"spec",
           {{"selector", own_pods(server)},
            {"endpoints", Json::array({{{"port", kMetricsPortName}, {"path", "/metrics"}}})}}}};
}

}  // namespace mcpfleet::desired
