// The MCPGateway custom resource as plain values: one address for many MCPServers.
//
// Decoding, defaults and validation are in fleet/decode.h; the schema is
// crds/mcpfleet.dev_mcpgateways.yaml, and a test holds the two together. Defaults here are those of
// the schema. Thread safety: plain values, free functions without state.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/gateway_settings.h"
#include "fleet/label_selector.h"
#include "fleet/mcp_server.h"
#include "fleet/status.h"

namespace mcpfleet::fleet {

inline constexpr const char* kGatewayKind = "MCPGateway";
inline constexpr const char* kGatewayPlural = "mcpgateways";

// Whose MCPServers a gateway serves.
enum class NamespacesFrom {
  Same,  // those of its own namespace
  All,   // those of all namespaces
};

enum class ServiceType { ClusterIP, NodePort, LoadBalancer };

struct GatewayService {
  ServiceType type = ServiceType::ClusterIP;
  std::optional<int> port;  // absent: 443 with TLS, else 80; see service_port()
  std::map<std::string, std::string> annotations;
  bool operator==(const GatewayService&) const = default;
};

struct GatewayStatus {
  std::int64_t observed_generation = 0;
  int replicas = 0;
  int ready_replicas = 0;
  std::string selector;     // of the pods, for the scale subresource
  std::string address_url;  // of the gateway without a route: "http://NAME.NAMESPACE.svc"
  int servers = 0;          // MCPServers that it serves
  std::vector<Condition> conditions;
  bool operator==(const GatewayStatus&) const = default;
};

struct MCPGateway {
  std::string name;
  std::string namespace_;
  std::string uid;
  std::int64_t generation = 0;
  std::string resource_version;
  bool deleting = false;

  LabelSelector server_selector;  // empty: all
  NamespacesFrom namespaces_from = NamespacesFrom::Same;
  int replicas = 2;
  RawJson resources;  // ResourceRequirements of the container; empty: none
  GatewayService service;
  std::string tls_secret_name;  // a kubernetes.io/tls Secret; empty: plain HTTP
  TrafficSettings traffic;
  int access_log_sample = 100;  // one call in so many is logged; 1: each, 0: none
  Duration drain_timeout = std::chrono::seconds(30);
  int session_key_revision = 0;  // another one is another key; that before still opens
  Disruption disruption{"1", ""};
  RawJson pod_template;  // strategic-merge overlay of a PodTemplateSpec

  GatewayStatus status;  // as last seen
  bool operator==(const MCPGateway&) const = default;
};

// "namespace/name".
std::string key(const MCPGateway& gateway);

// The port of its Service.
int service_port(const MCPGateway& gateway);

// Whether the gateway serves that MCPServer: by its namespace and labels. Never one with a
// workload_ref, whose Service, if there is one, is not known to us.
bool serves(const MCPGateway& gateway, const MCPServer& server);

// The JSON text of `status` (the value, without {"status": …}). The same input gives the same
// bytes. Times are whole seconds.
std::string encode_gateway_status(const GatewayStatus& status);

// Reads a status back. What cannot be read is left out: anybody may have edited it, and a broken
// status must never stop a gateway from being run.
GatewayStatus decode_gateway_status(std::string_view text);

}  // namespace mcpfleet::fleet
