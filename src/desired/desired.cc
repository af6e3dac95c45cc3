#include "desired/desired.h"

#include <algorithm>

#include "base/base64.h"
#include "desired/parts.h"
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
            {"ports", Json::array({{{"name", "mcp"},
                                    {"port", 80},
                                    {"protocol", "TCP"},
                                    {"targetPort", "mcp"},
                                    {"appProtocol", "http"}}})}}}};
}

// The path of an object of that kind; `prefix` is "/api/v1" or "/apis/GROUP/VERSION".
std::string path_of(const fleet::MCPServer& server, const char* prefix, const char* plural,
                    const std::string& name) {
  return std::string(prefix) + "/namespaces/" + server.namespace_ + "/" + plural + "/" + name;
}

Object object_of(const Json& body, std::string path) {
  return {fleet::text_of(body, "apiVersion"), fleet::text_of(body, "kind"),
          fleet::text_of(body["metadata"], "name"), std::move(path), fleet::to_text(body)};
}

void add_hpa(const fleet::MCPServer& server, const Context& context, Desired& result) {
  std::string path =
      path_of(server, "/apis/autoscaling/v2", "horizontalpodautoscalers", server.name);
  Json metrics = server.autoscaling ? hpa_metrics(server, result.notes) : Json::array();
  // An HPA without metrics would get Kubernetes' default, 80 % CPU of all containers.
  if (metrics.empty()) {
    if (server.autoscaling)
      result.notes.push_back("nothing is left to scale on, so there is no HorizontalPodAutoscaler");
    result.unwanted.push_back(
        {"autoscaling/v2", "HorizontalPodAutoscaler", server.name, std::move(path), {}});
    return;
  }
  result.objects.push_back(
      object_of(hpa(server, context, std::move(metrics), result.notes), std::move(path)));
}

// An HPA exists: something of what was asked for can be measured.
bool has_hpa(const fleet::MCPServer& server) {
  std::vector<std::string> notes;
  return server.autoscaling && !hpa_metrics(server, notes).empty();
}

}  // namespace

Json labels(const fleet::MCPServer& server) {
  return {{"app.kubernetes.io/name", "mcp-server"},
          {"app.kubernetes.io/instance", server.name},
          {"app.kubernetes.io/managed-by", "mcpfleet"},
          {kServerLabel, server.name}};
}

Json child_metadata(const fleet::MCPServer& server, const std::string& name) {
  return {{"name", name},
          {"namespace", server.namespace_},
          {"labels", labels(server)},
          {"ownerReferences", Json::array({{{"apiVersion", fleet::kApiVersion},
                                            {"kind", fleet::kKind},
                                            {"name", server.name},
                                            {"uid", server.uid},
                                            {"controller", true},
                                            {"blockOwnerDeletion", true}}})}};
}

std::string secret_name(const fleet::MCPServer& server) { return server.name + "-session-key"; }

Desired build(const fleet::MCPServer& server, const Context& context) {
  Desired result;
  result.objects.push_back(object_of(secret(server, context),
                                     path_of(server, "/api/v1", "secrets", secret_name(server))));
  result.objects.push_back(
      object_of(service(server), path_of(server, "/api/v1", "services", server.name)));
  result.objects.push_back(object_of(deployment(server, context, result.notes),
                                     path_of(server, "/apis/apps/v1", "deployments", server.name)));
  add_hpa(server, context, result);
  return result;
}

std::string selector(std::string_view name) {
  return std::string(kServerLabel) + "=" + std::string(name);
}

std::string address_url(const fleet::MCPServer& server) {
  return "http://" + server.name + "." + server.namespace_ + ".svc" + server.config.path;
}

std::optional<int> decide_replicas(const fleet::MCPServer& server, const ObservedDeployment* live) {
  if (server.autoscaling) {
    const int least = server.autoscaling->min_replicas;
    if (live == nullptr) return least;
    if (!has_hpa(server))
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
