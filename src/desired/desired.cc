#include "desired/desired.h"

#include <algorithm>

#include "base/base64.h"
#include "desired/objects.h"
#include "desired/parts.h"
#include "desired/reasons.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {
namespace {

Json secret(const fleet::MCPServer& server, const Context& context) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", child_metadata(server, secret_name(server))},
          {"type", "Opaque"},
          {"data", {{"key", to_base64(context.session_key)}}}};
}

Json service(const fleet::MCPServer& server) {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", child_metadata(server, server.name)},
          {"spec",
           {{"type", "ClusterIP"},
            {"selector", {{kServerLabel, server.name}}},
            {"ports", Json::array({{{"name", kMcpPortName},
                                    {"port", 80},
                                    {"protocol", "TCP"},
                                    {"targetPort", kMcpPortName},
                                    {"appProtocol", "http"}},
                                   {{"name", kMetricsPortName},
                                    {"port", fleet::kMetricsPort},
                                    {"protocol", "TCP"},
                                    {"targetPort", kMetricsPortName}}})}}}};
}

// Null: unwanted.
void add(const fleet::MCPServer& server, const Kind& kind, const Json& body, Desired& result) {
  add(kind, server.namespace_, server.name, body, result);
}

// Null: nothing that was asked for can be measured, or the replicas are not an HPA's to write.
Json wanted_hpa(const fleet::MCPServer& server, const Context& context,
                std::vector<std::string>& notes) {
  if (!server.autoscaling) return nullptr;
  if (!fleet::wants_hpa(*server.autoscaling)) {
    hpa_metrics(server, notes);  // what is left out there is left out by the operator, too
    return nullptr;
  }
  Json metrics = hpa_metrics(server, notes);
  if (!metrics.empty()) return hpa(server, context, std::move(metrics), notes);
  // An HPA without metrics would get Kubernetes' default, 80 % CPU of all containers.
  notes.push_back("nothing is left to scale on, so there is no HorizontalPodAutoscaler");
  return nullptr;
}

// The pods run as a ServiceAccount of their own, unless podTemplate names another.
bool own_service_account(const fleet::MCPServer& server, const Json& deployment) {
  const Json& pod = deployment["spec"]["template"]["spec"];
  return fleet::text_of(pod, "serviceAccountName") == server.name;
}

// An HPA is wanted, and nothing of what was asked for can be measured.
bool lacks_hpa(const fleet::MCPServer& server) {
  std::vector<std::string> notes;
  return fleet::wants_hpa(*server.autoscaling) && hpa_metrics(server, notes).empty();
}

}  // namespace

Json labels(const fleet::MCPServer& server) {
  return {{"app.kubernetes.io/name", "mcp-server"},
          {"app.kubernetes.io/instance", server.name},
          {"app.kubernetes.io/managed-by", "mcpfleet"},
          {kServerLabel, server.name}};
}

Owner owner_of(const fleet::MCPServer& server) {
  return {fleet::kKind, server.namespace_, server.name, server.uid, labels(server)};
}

Json child_metadata(const Owner& owner, const std::string& name) {
  return {{"name", name},
          {"namespace", owner.namespace_},
          {"labels", owner.labels},
          {"ownerReferences", Json::array({{{"apiVersion", fleet::kApiVersion},
                                            {"kind", owner.kind},
                                            {"name", owner.name},
                                            {"uid", owner.uid},
                                            {"controller", true},
                                            {"blockOwnerDeletion", true}}})}};
}

Json child_metadata(const fleet::MCPServer& server, const std::string& name) {
  return child_metadata(owner_of(server), name);
}

std::string secret_name(const fleet::MCPServer& server) {
  return server.name + std::string(kSecretSuffix);
}

Desired build(const fleet::MCPServer& server, const Context& context) {
  Desired result;
  if (server.workload_ref) {
    add(server, kHpa, wanted_hpa(server, context, result.notes), result);
    return result;
  }
  const auto pods = deployment(server, context, result.notes);
  if (!pods) {
    result.refusal = Refusal{std::string(kInvalid), pods.error().message};
    return result;
  }
  const auto where = [](bool wanted, auto make) { return wanted ? make() : Json(); };
  add(server, kServiceAccount,
      where(own_service_account(server, *pods), [&] { return service_account(owner_of(server)); }),
      result);
  add(kSecret, server.namespace_, secret_name(server), secret(server, context), result);
  add(server, kService, service(server), result);
  add(server, kNetworkPolicy,
      where(restricts_network(server), [&] { return network_policy(server); }), result);
  add(server, kDeployment, *pods, result);
  add(server, kDisruptionBudget,
      where(server.disruption.has_value(),
            [&] {
              return disruption_budget(owner_of(server), *server.disruption, own_pods(server));
            }),
      result);
  add(server, kHpa, wanted_hpa(server, context, result.notes), result);
  if (context.service_monitor) add(server, kServiceMonitor, service_monitor(server), result);
  return result;
}

std::string selector(std::string_view name) {
  return std::string(kServerLabel) + "=" + std::string(name);
}

std::string address_url(const fleet::MCPServer& server) {
  if (server.workload_ref) return {};
  return "http://" + server.name + "." + server.namespace_ + ".svc" + server.config.path;
}

std::optional<int> decide_replicas(const fleet::MCPServer& server, const ObservedDeployment* live) {
  if (server.autoscaling) {
    const int least = server.autoscaling->min_replicas;
    if (live == nullptr) return least;
    if (lacks_hpa(server))
      return std::clamp(live->spec_replicas, least, server.autoscaling->max_replicas);
    if (live->replicas_owner != ReplicasOwner::Ours) return std::nullopt;
    return live->spec_replicas;
  }
  const int wanted = server.runtime.replicas;
  if (live == nullptr || live->runtime_replicas != wanted) return wanted;
  switch (live->replicas_owner) {
    case ReplicasOwner::Autoscaler:
      return std::nullopt;
    case ReplicasOwner::Ours:
      return live->spec_replicas;
    case ReplicasOwner::Other:
      return wanted;
  }
  return wanted;
}

}  // namespace mcpfleet::desired
