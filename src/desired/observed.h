// The few fields of foreign objects that decisions need, decoded from the API server's JSON.
//
// The decoders fit kube::Store<T>::Decode. Unknown and missing fields are taken as empty: these
// objects are Kubernetes' own. Errors: Malformed. Thread safety: free functions, plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::desired {

// A condition as Deployment, HPA and Pod have it. status: "True", "False" or "Unknown".
struct ForeignCondition {
  std::string type;
  std::string status;
  std::string reason;
  std::string message;
};

// Whose value stands in spec.replicas, by metadata.managedFields.
enum class ReplicasOwner {
  Ours,        // only we, or nobody
  Autoscaler,  // an HPA (kube-controller-manager) or our own actuator, by the scale subresource
  Other,       // somebody else, such as `kubectl scale`
};

// How far a Deployment or StatefulSet is. A StatefulSet has no condition "Progressing".
struct ReplicaCounts {
  std::int64_t generation = 0;
  std::int64_t observed_generation = 0;
  int spec_replicas = 0;
  int replicas = 0;
  int updated_replicas = 0;
  int ready_replicas = 0;
  int available_replicas = 0;
  std::vector<ForeignCondition> conditions;
};

struct ObservedDeployment : ReplicaCounts {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string controller_uid;  // of the controlling owner; empty: none
  ReplicasOwner replicas_owner = ReplicasOwner::Ours;
  std::optional<int> runtime_replicas;  // annotation kRuntimeReplicasAnnotation
  // Of the pod template, so that it can be kept as it is.
};
Result<ObservedDeployment> decode_deployment(std::string_view text);

// What spec.source.workloadRef names.
struct ObservedWorkload : ReplicaCounts {
  std::string kind;  // "Deployment" or "StatefulSet"
  std::string name;
  bool found = false;    // false: it does not exist, and the counts are 0
  std::string selector;  // of its pods, as text: "app=x,tier in (a,b)"
};
// Of a Deployment or StatefulSet, `found`.
Result<ObservedWorkload> decode_workload(std::string_view text);

// A metric in the HPA's own status, current beside target, as people read it: "1500m", "63%".
struct HpaMetric {
  std::string name;  // "cpu", "memory", "mcp_requests_per_second", …
  std::string current;
  std::string target;
};

struct ObservedHpa {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string controller_uid;
  std::string target_kind;  // spec.scaleTargetRef
  std::string target_name;
  int current_replicas = 0;
  int desired_replicas = 0;
  std::vector<HpaMetric> metrics;
  std::vector<ForeignCondition> conditions;
};
Result<ObservedHpa> decode_hpa(std::string_view text);

// Why a pod does not run: `reason` is one of the pod reasons in desired/reasons.h, `message` a
// sentence with the container, the exit code and the termination message where there are any.
struct PodProblem {
  std::string reason;
  std::string message;
  bool operator==(const PodProblem&) const = default;
};

struct ObservedPod {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string owner;          // label mcpfleet.dev/server, or mcpfleet.dev/gateway
  std::string template_hash;  // label pod-template-hash: the revision of its Deployment
  std::string ip;             // status.podIP; empty: none yet
  bool ready = false;
  bool deleting = false;
  std::optional<PodProblem> problem;
  bool operator==(const ObservedPod&) const = default;
};
Result<ObservedPod> decode_pod(std::string_view text);

}  // namespace mcpfleet::desired
