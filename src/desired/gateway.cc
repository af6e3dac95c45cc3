#include "desired/gateway.h"

#include "base/base64.h"
#include "desired/gateway_parts.h"
#include "desired/objects.h"
#include "desired/reasons.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {
namespace {

constexpr std::string_view kBindingPrefix = "mcpfleet:gateway:";
constexpr const char* kRbacGroup = "rbac.authorization.k8s.io";

bool has_tls(const fleet::MCPGateway& gateway) { return !gateway.tls_secret_name.empty(); }

bool serves_all(const fleet::MCPGateway& gateway) {
  return gateway.namespaces_from == fleet::NamespacesFrom::All;
}

Json secret(const fleet::MCPGateway& gateway, const GatewayContext& context) {
  Json data{{"key", to_base64(context.session_key)}, {"next", to_base64(context.next_session_key)}};
  if (!context.previous_session_key.empty())
    data["previous"] = to_base64(context.previous_session_key);
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", child_metadata(owner_of(gateway), gateway_secret_name(gateway))},
          {"type", "Opaque"},
          {"data", std::move(data)}};
}

const char* type_of(const fleet::GatewayService& service) {
  switch (service.type) {
    case fleet::ServiceType::ClusterIP:
      return "ClusterIP";
    case fleet::ServiceType::NodePort:
      return "NodePort";
    case fleet::ServiceType::LoadBalancer:
      return "LoadBalancer";
  }
  return "ClusterIP";
}

// MCP alone: metrics are not for those outside.
Json service(const fleet::MCPGateway& gateway) {
  Json metadata = child_metadata(owner_of(gateway), gateway.name);
  if (!gateway.service.annotations.empty()) metadata["annotations"] = gateway.service.annotations;
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", std::move(metadata)},
          {"spec",
           {{"type", type_of(gateway.service)},
            {"selector", {{kGatewayLabel, gateway.name}}},
            {"ports", Json::array({{{"name", kMcpPortName},
                                    {"port", fleet::service_port(gateway)},
                                    {"protocol", "TCP"},
                                    {"targetPort", kMcpPortName},
                                    {"appProtocol", has_tls(gateway) ? "https" : "http"}}})}}}};
}

Json own_pods(const fleet::MCPGateway& gateway) {
  return {{"matchLabels", {{kGatewayLabel, gateway.name}}}};
}

// Of pods, for the Service has no port of metrics. Servers that it tells of keep their own names
// and namespaces: without honorLabels they would be those of the gateway's.
Json pod_monitor(const fleet::MCPGateway& gateway) {
  return {{"apiVersion", kPodMonitor.api_version},
          {"kind", kPodMonitor.name},
          {"metadata", child_metadata(owner_of(gateway), gateway.name)},
          {"spec",
           {{"selector", own_pods(gateway)},
            {"podMetricsEndpoints",
             Json::array(
                 {{{"port", kMetricsPortName}, {"path", "/metrics"}, {"honorLabels", true}}})}}}};
}

// Grants the gateway's ServiceAccount what a gateway may do.
Json binding(const fleet::MCPGateway& gateway, const GatewayContext& context, const char* kind,
             Json metadata) {
  return {{"apiVersion", kRoleBinding.api_version},
          {"kind", kind},
          {"metadata", std::move(metadata)},
          {"roleRef", {{"apiGroup", kRbacGroup}, {"kind", "ClusterRole"}, {"name", context.role}}},
          {"subjects", Json::array({{{"kind", "ServiceAccount"},
                                     {"name", gateway.name},
                                     {"namespace", gateway.namespace_}}})}};
}

// In its own namespace, or in all of them. What is of the cluster cannot be owned by what is of a
// namespace: an annotation says whose it is.
void add_binding(const fleet::MCPGateway& gateway, const GatewayContext& context, Desired& result) {
  const std::string name = cluster_binding_name(gateway.namespace_, gateway.name);
  Json in_namespace;
  Json in_cluster;
  if (serves_all(gateway)) {
    in_cluster = binding(gateway, context, kClusterRoleBinding.name,
                         {{"name", name},
                          {"labels", gateway_labels(gateway)},
                          {"annotations", {{kGatewayUidAnnotation, gateway.uid}}}});
  } else {
    in_namespace = binding(gateway, context, kRoleBinding.name,
                           child_metadata(owner_of(gateway), gateway.name));
  }
  add(kRoleBinding, gateway.namespace_, gateway.name, in_namespace, result);
  if (context.all_namespaces) add(kClusterRoleBinding, "", name, in_cluster, result);
}

}  // namespace

Json gateway_labels(const fleet::MCPGateway& gateway) {
  return {{"app.kubernetes.io/name", "mcp-gateway"},
          {"app.kubernetes.io/instance", gateway.name},
          {"app.kubernetes.io/managed-by", "mcpfleet"},
          {kGatewayLabel, gateway.name}};
}

Owner owner_of(const fleet::MCPGateway& gateway) {
  return {fleet::kGatewayKind, gateway.namespace_, gateway.name, gateway.uid,
          gateway_labels(gateway)};
}

std::string gateway_secret_name(const fleet::MCPGateway& gateway) {
  return gateway.name + std::string(kGatewaySecretSuffix);
}

Desired build_gateway(const fleet::MCPGateway& gateway, const GatewayContext& context) {
  Desired result;
  if (serves_all(gateway) && !context.all_namespaces) {
    result.refusal =
        Refusal{std::string(kNamespacesNotAllowed),
                "spec.namespaces.from must be Same: this operator may not let gateways read the "
                "MCPServers of all namespaces"};
    return result;
  }
  const auto pods = gateway_deployment(gateway, context);
  if (!pods) {
    result.refusal = Refusal{std::string(kInvalid), pods.error().message};
    return result;
  }
  const Owner owner = owner_of(gateway);
  const auto put = [&](const Kind& kind, const Json& body) {
    add(kind, gateway.namespace_, gateway.name, body, result);
  };
  put(kServiceAccount, service_account(owner));
  add(kSecret, gateway.namespace_, gateway_secret_name(gateway), secret(gateway, context), result);
  put(kService, service(gateway));
  add_binding(gateway, context, result);
  put(kDeployment, *pods);
  put(kDisruptionBudget, disruption_budget(owner, gateway.disruption, own_pods(gateway)));
  if (context.pod_monitor) put(kPodMonitor, pod_monitor(gateway));
  return result;
}

std::string gateway_selector(std::string_view name) {
  return std::string(kGatewayLabel) + "=" + std::string(name);
}

std::string gateway_url(const fleet::MCPGateway& gateway) {
  const bool tls = has_tls(gateway);
  const int port = fleet::service_port(gateway);
  const bool usual = port == (tls ? 443 : 80);
  return std::string(tls ? "https" : "http") + "://" + gateway.name + "." + gateway.namespace_ +
         ".svc" + (usual ? "" : ":" + std::to_string(port));
}

std::string cluster_binding_name(std::string_view namespace_, std::string_view name) {
  return std::string(kBindingPrefix) + std::string(namespace_) + ":" + std::string(name);
}

std::optional<std::string> gateway_of_cluster_binding(std::string_view binding) {
  if (!binding.starts_with(kBindingPrefix)) return std::nullopt;
  std::string key(binding.substr(kBindingPrefix.size()));
  const auto colon = key.find(':');
  if (colon == std::string::npos) return std::nullopt;
  key[colon] = '/';
  return key;
}

}  // namespace mcpfleet::desired
