// From an MCPGateway to the objects it should own, as JSON texts for server-side apply that hold
// only the fields we own.
//
// Pure: the same input gives the same bytes. Thread safety: free functions without state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "desired/desired.h"
#include "fleet/mcp_gateway.h"

namespace mcpfleet::desired {

// The Secret with the session keys is named after the MCPGateway, with this behind it.
inline constexpr std::string_view kGatewaySecretSuffix = "-gateway-keys";
inline constexpr const char* kGatewayContainer = "gateway";
// On a ClusterRoleBinding, which no namespaced object can own: the uid of its MCPGateway.
inline constexpr const char* kGatewayUidAnnotation = "mcpfleet.dev/gateway-uid";

// What the objects depend on besides the MCPGateway. Keys are raw bytes (32).
struct GatewayContext {
  std::string image;
  std::string pull_policy;      // empty: Kubernetes' own default
  std::string role;             // the ClusterRole with what a gateway may do
  bool all_namespaces = false;  // it may be granted for all namespaces
  std::string session_key;
  std::string previous_session_key;  // empty: there is none
  std::string next_session_key;
  bool pod_monitor = false;  // the API server has monitoring.coreos.com/v1 PodMonitor
};

// ServiceAccount, Secret, Service, RoleBinding or ClusterRoleBinding, Deployment,
// PodDisruptionBudget, PodMonitor. `gateway` must have come from fleet::decode_gateway().
Desired build_gateway(const fleet::MCPGateway& gateway, const GatewayContext& context);

// The selector of the gateway's pods as text: "mcpfleet.dev/gateway=NAME".
std::string gateway_selector(std::string_view name);

// Where clients reach it, before the route of a server: "http://NAME.NAMESPACE.svc", with the port
// where that is not the scheme's.
std::string gateway_url(const fleet::MCPGateway& gateway);

// The name of the ClusterRoleBinding of the gateway "NAMESPACE/NAME", and the key of the gateway
// back; nullopt: that is not such a name.
std::string cluster_binding_name(std::string_view namespace_, std::string_view name);
std::optional<std::string> gateway_of_cluster_binding(std::string_view binding);

}  // namespace mcpfleet::desired
