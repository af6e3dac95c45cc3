// The kinds of objects that are made, and where they live. Internal to desired.
#pragma once

#include <string>

#include "desired/desired.h"
#include "fleet/json_text.h"

namespace mcpfleet::desired {

struct Kind {
  const char* api_version;
  const char* name;
  const char* prefix;  // of the path
  const char* plural;
};
inline constexpr Kind kServiceAccount{"v1", "ServiceAccount", "/api/v1", "serviceaccounts"};
inline constexpr Kind kSecret{"v1", "Secret", "/api/v1", "secrets"};
inline constexpr Kind kService{"v1", "Service", "/api/v1", "services"};
inline constexpr Kind kNetworkPolicy{"networking.k8s.io/v1", "NetworkPolicy",
                                     "/apis/networking.k8s.io/v1", "networkpolicies"};
inline constexpr Kind kDeployment{"apps/v1", "Deployment", "/apis/apps/v1", "deployments"};
inline constexpr Kind kDisruptionBudget{"policy/v1", "PodDisruptionBudget", "/apis/policy/v1",
                                        "poddisruptionbudgets"};
inline constexpr Kind kHpa{"autoscaling/v2", "HorizontalPodAutoscaler", "/apis/autoscaling/v2",
                           "horizontalpodautoscalers"};
inline constexpr Kind kServiceMonitor{"monitoring.coreos.com/v1", "ServiceMonitor",
                                      "/apis/monitoring.coreos.com/v1", "servicemonitors"};
inline constexpr Kind kPodMonitor{"monitoring.coreos.com/v1", "PodMonitor",
                                  "/apis/monitoring.coreos.com/v1", "podmonitors"};
inline constexpr Kind kRoleBinding{"rbac.authorization.k8s.io/v1", "RoleBinding",
                                   "/apis/rbac.authorization.k8s.io/v1", "rolebindings"};
inline constexpr Kind kClusterRoleBinding{"rbac.authorization.k8s.io/v1", "ClusterRoleBinding",
                                          "/apis/rbac.authorization.k8s.io/v1",
                                          "clusterrolebindings"};

// An object `name` of a namespace; of the cluster where that is empty.
Object object_of(const Kind& kind, const std::string& namespace_, const std::string& name,
                 std::string body);

// Adds `body` to what is wanted; null: `name` is to be deleted.
void add(const Kind& kind, const std::string& namespace_, const std::string& name,
         const fleet::Json& body, Desired& result);

}  // namespace mcpfleet::desired
