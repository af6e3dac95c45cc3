// The objects that an MCPServer or MCPGateway owns: of which kinds they are, and what is kept of
// each.
//
// Thread safety: plain values, free functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "desired/observed.h"

namespace mcpfleet::op {

enum class ChildKind : std::uint8_t {
  ServiceAccount,
  Secret,
  Service,
  NetworkPolicy,
  Deployment,
  PodDisruptionBudget,
  HorizontalPodAutoscaler,
  ServiceMonitor,
  PodMonitor,
  RoleBinding,
  ClusterRoleBinding,
};

struct ChildType {
  ChildKind kind;
  const char* api_version;
  const char* name;  // as in an object's field `kind`
  const char* plural;
  // False: of the cluster. Nothing of a namespace can own it: an annotation names its owner.
  bool namespaced() const { return kind != ChildKind::ClusterRoleBinding; }
  // True: the kind exists only where somebody installed the Prometheus operator's CRDs.
  bool optional() const {
    return kind == ChildKind::ServiceMonitor || kind == ChildKind::PodMonitor;
  }
};
// Ordered as ChildKind. What all parts of the operator know of kinds comes from here.
inline constexpr std::array<ChildType, 11> kChildTypes{{
    {ChildKind::ServiceAccount, "v1", "ServiceAccount", "serviceaccounts"},
    {ChildKind::Secret, "v1", "Secret", "secrets"},
    {ChildKind::Service, "v1", "Service", "services"},
    {ChildKind::NetworkPolicy, "networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"},
    {ChildKind::Deployment, "apps/v1", "Deployment", "deployments"},
    {ChildKind::PodDisruptionBudget, "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"},
    {ChildKind::HorizontalPodAutoscaler, "autoscaling/v2", "HorizontalPodAutoscaler",
     "horizontalpodautoscalers"},
    {ChildKind::ServiceMonitor, "monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors"},
    {ChildKind::PodMonitor, "monitoring.coreos.com/v1", "PodMonitor", "podmonitors"},
    {ChildKind::RoleBinding, "rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"},
    {ChildKind::ClusterRoleBinding, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding",
     "clusterrolebindings"},
}};

// Nothing for a kind that is not in kChildTypes.
std::optional<ChildKind> child_kind(std::string_view name);

// A child object as the API server holds it: who owns it, and the part of it that we may have
// written.
struct Child {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string controller_uid;   // empty: nobody controls it
  std::string controller_kind;  // such as "MCPServer"
  std::string applied;          // our annotation kAppliedAnnotation; empty: none
  std::string pod_template;     // our annotation kPodTemplateAnnotation
  std::string sidecar_image;    // our annotation kSidecarImageAnnotation
  std::optional<int> replicas;  // spec.replicas of a Deployment
  // A Secret's data, which nobody shows us, was written by somebody else since we did.
  bool data_taken = false;
  std::uint64_t content_hash = 0;
  // As JSON text, without apiVersion, kind, status, a Secret's data, and of the metadata labels,
  // annotations and ownerReferences alone. Empty once it was seen to hold what `applied` stands
  // for: the text is the larger part of what an operator would have to keep.
  std::string content;

  bool verified() const { return content.empty(); }
  void set_verified() { std::string().swap(content); }
  // The same object in a later version: what was seen of `held` is known of this one, too, where
  // their contents are the same.
  void carry_over(const Child& held);
};

// On each child: a fingerprint of what was applied last. Where it is the wanted one and yet a field
// differs, somebody else changed that field.
inline constexpr const char* kAppliedAnnotation = "mcpfleet.dev/applied";
// On a Deployment: a fingerprint of its pod template without the sidecar's image, and that image.
inline constexpr const char* kPodTemplateAnnotation = "mcpfleet.dev/pod-template";
inline constexpr const char* kSidecarImageAnnotation = "mcpfleet.dev/sidecar-image";

// With what the status needs.
struct DeploymentEntry : Child {
  desired::ObservedDeployment seen;
};
struct HpaEntry : Child {
  desired::ObservedHpa seen;
};

// Error: Malformed.
Result<Child> decode_child(std::string_view json);
// Of a Secret, or of its metadata alone, in which the API server keeps whose the data is.
Result<Child> decode_secret(std::string_view json);
// Of a ClusterRoleBinding: the MCPGateway that its annotation names counts as its controller.
Result<Child> decode_cluster_binding(std::string_view json);
// That of a kind which has no more than a Child.
Result<Child> (*decode_of(ChildKind kind))(std::string_view json);
Result<DeploymentEntry> decode_deployment_entry(std::string_view json);
Result<HpaEntry> decode_hpa_entry(std::string_view json);

}  // namespace mcpfleet::op
