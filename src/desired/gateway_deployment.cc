#include <array>
#include <chrono>

#include "base/time_text.h"
#include "desired/container.h"
#include "desired/gateway_parts.h"
#include "desired/overlay.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {
namespace {

using fleet::list_of;
using fleet::member;
using fleet::text_of;

const std::string kPath = "spec.podTemplate";
const std::string kContainer = kGatewayContainer;
constexpr const char* kKeysVolume = "session-keys";
constexpr const char* kKeysDir = "/etc/mcpfleet/session";
constexpr const char* kTlsVolume = "tls";
constexpr const char* kTlsDir = "/etc/mcpfleet/tls";
constexpr std::array kOwnVolumes{kKeysVolume, kTlsVolume};
constexpr std::array kOwnVariables{"POD_NAME", "POD_NAMESPACE", "POD_IP"};
// Between the end of the drain and SIGKILL.
constexpr std::chrono::seconds kGraceAfterDrain{15};

Json command(const fleet::MCPGateway& gateway) {
  Json result = Json::array({"/mcp-gateway", "--gateway", fleet::key(gateway), "--drain-timeout",
                             format_duration(gateway.drain_timeout)});
  const auto flag = [&result](const char* name, const std::string& value) {
    result.push_back(name);
    result.push_back(value);
  };
  flag("--session-key-file", std::string(kKeysDir) + "/key");
  if (!gateway.tls_secret_name.empty()) {
    flag("--tls-cert-file", std::string(kTlsDir) + "/tls.crt");
    flag("--tls-key-file", std::string(kTlsDir) + "/tls.key");
  }
  return result;
}

Json container(const fleet::MCPGateway& gateway, const GatewayContext& context) {
  Json result =
      own_container(context.image, context.pull_policy, kGatewayContainer, command(gateway));
  result["env"] = Json::array({env_from_field(kOwnVariables[0], "metadata.name"),
                               env_from_field(kOwnVariables[1], "metadata.namespace"),
                               env_from_field(kOwnVariables[2], "status.podIP")});
  result["ports"] = Json::array({container_port(kMcpPortName, fleet::kMcpPort),
                                 container_port(kMetricsPortName, fleet::kMetricsPort)});
  result["readinessProbe"] = ready_probe();
  result["volumeMounts"] = Json::array({volume_mount(kKeysVolume, kKeysDir, true)});
  if (!gateway.tls_secret_name.empty())
    result["volumeMounts"].push_back(volume_mount(kTlsVolume, kTlsDir, true));
  result["resources"] =
      raw(gateway.resources, {{"requests", {{"cpu", "50m"}, {"memory", "64Mi"}}}});
  return result;
}

Json secret_volume(const char* name, const std::string& secret) {
  // The one user of the container is in this group; nobody else may read it.
  constexpr int kReadableByGroup = 0440;
  return {{"name", name}, {"secret", {{"secretName", secret}, {"defaultMode", kReadableByGroup}}}};
}

Json volumes(const fleet::MCPGateway& gateway) {
  Json result = Json::array({secret_volume(kKeysVolume, gateway_secret_name(gateway))});
  if (!gateway.tls_secret_name.empty())
    result.push_back(secret_volume(kTlsVolume, gateway.tls_secret_name));
  return result;
}

// Not all replicas on the node, or in the zone, that dies; those of one revision are counted.
Json spread(const fleet::MCPGateway& gateway) {
  Json result = Json::array();
  for (const char* topology : {"kubernetes.io/hostname", "topology.kubernetes.io/zone"})
    result.push_back({{"maxSkew", 1},
                      {"topologyKey", topology},
                      {"whenUnsatisfiable", "ScheduleAnyway"},
                      {"labelSelector", {{"matchLabels", {{kGatewayLabel, gateway.name}}}}},
                      {"matchLabelKeys", {"pod-template-hash"}}});
  return result;
}

Json pod_spec(const fleet::MCPGateway& gateway, const GatewayContext& context) {
  const auto drain = std::chrono::ceil<std::chrono::seconds>(gateway.drain_timeout);
  return {{"serviceAccountName", gateway.name},
          {"automountServiceAccountToken", true},
          {"enableServiceLinks", false},
          {"securityContext",
           {{"runAsNonRoot", true},
            {"fsGroup", kOwnUser},
            {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
          {"terminationGracePeriodSeconds", (drain + kGraceAfterDrain).count()},
          {"topologySpreadConstraints", spread(gateway)},
          {"containers", Json::array({container(gateway, context)})},
          {"volumes", volumes(gateway)}};
}

Problem check_container(const Json& before, const Json& after) {
  constexpr std::array kFixed{
      FixedField{"/image", "image", "it belongs to mcpfleet"},
      FixedField{"/imagePullPolicy", "imagePullPolicy", "it belongs to mcpfleet"},
      FixedField{"/command", "command", "it follows from spec"},
      FixedField{"/args", "args", "the command follows from spec"},
      FixedField{"/resources", "resources", "spec.resources sets it"},
      FixedField{"/readinessProbe", "readinessProbe", "it is the gateway's"}};
  if (!after.is_object())
    return kPath + ".spec.containers must not remove the container " + kContainer;
  if (auto problem = check_fixed(kPath, before, after, kContainer, kFixed)) return problem;
  const auto all = [](const Json&) { return true; };
  constexpr std::array kLists{std::pair("volumeMounts", "mountPath"),
                              std::pair("ports", "containerPort"), std::pair("env", "name")};
  for (const auto& [list, key] : kLists)
    if (auto problem = check_list(kPath, before, after, kContainer, list, key, all)) return problem;
  return std::nullopt;
}

Problem check(const Json& before, const Json& after) {
  const Json& spec = member(after, "spec");
  const Json& old_spec = member(before, "spec");
  if (auto problem = check_metadata(kPath, member(before, "metadata"), member(after, "metadata")))
    return problem;
  for (const char* key : {"serviceAccountName", "automountServiceAccountToken"})
    if (member(spec, key) != member(old_spec, key))
      return keep(kPath + ".spec", key, "the gateway reads from the API server with it");
  if (auto problem = check_entries(kPath, old_spec, spec, "volumes", kOwnVolumes, ""))
    return problem;
  if (auto problem = check_container(named(list_of(old_spec, "containers"), kContainer),
                                     named(list_of(spec, "containers"), kContainer)))
    return problem;
  if (auto problem = check_ports(kPath, old_spec, spec, "the gateway")) return problem;
  return check_grace(kPath, old_spec, spec, "spec.drainTimeout, and time for the gateway to stop");
}

Result<Json> pod_template(const fleet::MCPGateway& gateway, const GatewayContext& context) {
  Json ours{
      {"metadata", {{"labels", gateway_labels(gateway)}, {"annotations", metrics_annotations()}}},
      {"spec", pod_spec(gateway, context)}};
  if (gateway.pod_template.empty()) return ours;
  auto merged = lay_over(kPath, gateway.pod_template, ours);
  if (!merged) return fail(merged.error());
  if (auto problem = check(ours, *merged)) return fail(ErrorKind::Invalid, *problem);
  return merged;
}

}  // namespace

Result<Json> gateway_deployment(const fleet::MCPGateway& gateway, const GatewayContext& context) {
  auto pods = pod_template(gateway, context);
  if (!pods) return fail(pods.error());
  Json metadata = child_metadata(owner_of(gateway), gateway.name);
  metadata["annotations"][kRuntimeReplicasAnnotation] = std::to_string(gateway.replicas);
  return Json{{"apiVersion", "apps/v1"},
              {"kind", "Deployment"},
              {"metadata", std::move(metadata)},
              {"spec",
               {{"replicas", gateway.replicas},
                {"selector", {{"matchLabels", {{kGatewayLabel, gateway.name}}}}},
                {"strategy",
                 {{"type", "RollingUpdate"},
                  {"rollingUpdate", {{"maxUnavailable", 0}, {"maxSurge", "25%"}}}}},
                {"template", std::move(*pods)}}}};
}

}  // namespace mcpfleet::desired
