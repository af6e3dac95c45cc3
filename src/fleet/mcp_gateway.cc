#include "fleet/mcp_gateway.h"

#include "fleet/conditions.h"

namespace mcpfleet::fleet {

namespace {

constexpr int kHttp = 80;
constexpr int kHttps = 443;

}  // namespace

std::string key(const MCPGateway& gateway) { return gateway.namespace_ + "/" + gateway.name; }

int service_port(const MCPGateway& gateway) {
  return gateway.service.port.value_or(gateway.tls_secret_name.empty() ? kHttp : kHttps);
}

bool serves(const MCPGateway& gateway, const MCPServer& server) {
  const bool in_reach =
      gateway.namespaces_from == NamespacesFrom::All || gateway.namespace_ == server.namespace_;
  return in_reach && !server.workload_ref && matches(gateway.server_selector, server.labels);
}

std::string encode_gateway_status(const GatewayStatus& status) {
  Json result{{"observedGeneration", status.observed_generation},
              {"replicas", status.replicas},
              {"readyReplicas", status.ready_replicas},
              {"selector", status.selector},
              {"servers", status.servers}};
  if (!status.address_url.empty()) result["address"]["url"] = status.address_url;
  if (!status.conditions.empty()) result["conditions"] = encode_conditions(status.conditions);
  return to_text(result);
}

GatewayStatus decode_gateway_status(std::string_view text) {
  const auto parsed = parse_json(text, kMaxStatusBytes);
  if (!parsed) return {};
  return {.observed_generation = number_of(*parsed, "observedGeneration"),
          .replicas = count_of(*parsed, "replicas"),
          .ready_replicas = count_of(*parsed, "readyReplicas"),
          .selector = text_of(*parsed, "selector"),
          .address_url = text_of(member(*parsed, "address"), "url"),
          .servers = count_of(*parsed, "servers"),
          .conditions = decode_conditions(list_of(*parsed, "conditions"))};
}

}  // namespace mcpfleet::fleet
