#include "fleet/decode.h"
#include "fleet/decode_parts.h"
#include "fleet/reader.h"

namespace mcpfleet::fleet {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// A qualified name: a DNS subdomain, a slash and 63 characters.
constexpr std::size_t kMaxLabelKey = 317;
constexpr std::size_t kMaxLabelValue = 63;

SelectorRequirement decode_requirement(const Field& field) {
  field.object();
  for (const char* key : {"key", "operator"})
    if (!field[key].present()) field[key].refuse("is required");
  SelectorRequirement requirement;
  requirement.key = field["key"].text("", 1, kMaxLabelKey);
  const std::string op = field["operator"].one_of("In", {"In", "NotIn", "Exists", "DoesNotExist"});
  if (op == "NotIn") requirement.op = SelectorOperator::NotIn;
  if (op == "Exists") requirement.op = SelectorOperator::Exists;
  if (op == "DoesNotExist") requirement.op = SelectorOperator::DoesNotExist;
  requirement.values = field["values"].texts(64, kMaxLabelValue);
  const bool wants_values = op == "In" || op == "NotIn";
  if (wants_values == requirement.values.empty())
    field["values"].refuse(wants_values ? "must not be empty with operator " + op
                                        : "must be empty with operator " + op);
  return requirement;
}

LabelSelector decode_selector(const Field& field) {
  field.object();
  LabelSelector selector{field["matchLabels"].text_map(16, kMaxLabelValue), {}};
  for (const Field& item : field["matchExpressions"].items(16))
    selector.match_expressions.push_back(decode_requirement(item));
  return selector;
}

GatewayService decode_service(const Field& field) {
  field.object();
  GatewayService service;
  const std::string type =
      field["type"].one_of("ClusterIP", {"ClusterIP", "NodePort", "LoadBalancer"});
  if (type == "NodePort") service.type = ServiceType::NodePort;
  if (type == "LoadBalancer") service.type = ServiceType::LoadBalancer;
  if (field["port"].present()) service.port = field["port"].integer(1, 1, 65'535);
  service.annotations = field["annotations"].text_map(32, 4096);
  return service;
}

std::string decode_tls(const Field& field) {
  if (!field.object()) return {};
  if (!field["secretName"].present()) field["secretName"].refuse("is required");
  return field["secretName"].text("", 1, 253);
}

void decode_spec(const Field& spec, MCPGateway& gateway) {
  spec.object();
  gateway.server_selector = decode_selector(spec["serverSelector"]);
  spec["namespaces"].object();
  if (spec["namespaces"]["from"].one_of("Same", {"Same", "All"}) == "All")
    gateway.namespaces_from = NamespacesFrom::All;
  gateway.replicas = spec["replicas"].integer(gateway.replicas, 0, 100);
  gateway.resources = decode_resources(spec["resources"]);
  gateway.service = decode_service(spec["service"]);
  gateway.tls_secret_name = decode_tls(spec["tls"]);
  gateway.traffic = decode_traffic(spec);
  spec["accessLog"].object();
  gateway.access_log_sample =
      spec["accessLog"]["sample"].integer(gateway.access_log_sample, 0, 1'000'000);
  gateway.drain_timeout =
      spec["drainTimeout"].duration(gateway.drain_timeout, seconds(0), hours(1));
  spec["sessionKeys"].object();
  gateway.session_key_revision = spec["sessionKeys"]["revision"].integer(0, 0, 1'000'000);
  if (auto disruption = decode_disruption(spec["disruption"]))
    gateway.disruption = *std::move(disruption);
  gateway.pod_template = decode_pod_template(spec["podTemplate"]);
}

// Metadata and status; `spec` too where wanted.
Result<MCPGateway> decode_object(std::string_view text, bool with_spec) {
  const auto parsed = parse_json(text, kMaxObjectBytes);
  if (!parsed) return fail(parsed.error().context("cannot read the MCPGateway"));
  std::optional<Error> error;
  const Field root(*parsed, "", error);
  MCPGateway gateway;
  decode_metadata(root["metadata"], gateway);
  if (with_spec) {
    check_name(root["metadata"]["name"], gateway.name);
    decode_spec(root["spec"], gateway);
  }
  const Json& status = member(*parsed, "status");
  if (status.is_object()) gateway.status = decode_gateway_status(to_text(status));
  if (error) return fail(*error);
  return gateway;
}

}  // namespace

Result<MCPGateway> decode_gateway(std::string_view json) { return decode_object(json, true); }

Result<MCPGateway> decode_gateway_identity(std::string_view json) {
  return decode_object(json, false);
}

}  // namespace mcpfleet::fleet
