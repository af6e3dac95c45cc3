// From an MCPServer to the objects it should own, from its ServiceAccount to its
// HorizontalPodAutoscaler, as JSON texts for server-side apply that hold only the fields we own.
//
// Pure: the same input gives the same bytes. Thread safety: free functions without state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "desired/observed.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::desired {

inline constexpr const char* kFieldManager = "mcp-operator";
// On every child and pod, and the selector of Deployment and Service: the MCPServer's name.
inline constexpr const char* kServerLabel = "mcpfleet.dev/server";
// On every child and pod of an MCPGateway: its name.
inline constexpr const char* kGatewayLabel = "mcpfleet.dev/gateway";
// The Secret with the session key is named after the MCPServer, with this behind it.
inline constexpr std::string_view kSecretSuffix = "-session-key";
// On the Deployment: the spec.runtime.replicas that was applied last (see decide_replicas).
inline constexpr const char* kRuntimeReplicasAnnotation = "mcpfleet.dev/runtime-replicas";

// The containers of each pod: the user's server, the sidecar (with streamable-http), and what
// copies the sidecar's binary into the pod.
inline constexpr const char* kServerContainer = "server";
inline constexpr const char* kSidecarContainer = "mcp-sidecar";
inline constexpr const char* kInstallContainer = "mcp-sidecar-install";
// On the pod template: Context::config_fingerprint.
inline constexpr const char* kConfigFingerprintAnnotation = "mcpfleet.dev/config-fingerprint";

// Why an MCPServer could not be turned into objects. `reason`: one of the reasons of Accepted in
// desired/reasons.h; `message`: one sentence.
struct Refusal {
  std::string reason;
  std::string message;
};

// What the objects depend on besides the MCPServer.
struct Context {
  std::string sidecar_image;
  std::string sidecar_pull_policy;  // empty: Kubernetes' own default
  std::string session_key;      // raw bytes (32) of the server's session key; base64 is done here
  bool hpa_tolerance = false;   // the API server's HPA has behavior.*.tolerance
  std::optional<int> replicas;  // decide_replicas(); absent: leave the field out
  // Of the data of all that fleet::references() names: another one rolls the pods. Empty: none.
  std::string config_fingerprint;
  bool service_monitor = false;  // the API server has monitoring.coreos.com/v1 ServiceMonitor
};

// An object to apply, or (with an empty body) one that must not be.
struct Object {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string path;  // of the object itself: "/apis/apps/v1/namespaces/NS/deployments/NAME"
  std::string body;  // JSON, one line; a Secret's holds a secret: never log it
};

struct Desired {
  // The spec cannot be rendered (spec.runtime.podTemplate breaks what the product needs): then
  // there are no objects, and what exists is left alone.
  std::optional<Refusal> refusal;
  // ServiceAccount, Secret, Service, NetworkPolicy, Deployment, PodDisruptionBudget,
  // HorizontalPodAutoscaler, ServiceMonitor, as far as they are wanted. With a workload_ref only
  // the HorizontalPodAutoscaler.
  std::vector<Object> objects;   // in the order to apply them
  std::vector<Object> unwanted;  // to delete where they exist and are controlled by the MCPServer
  // Sentences about what was asked for and left out, for the condition ScalingActive.
  std::vector<std::string> notes;
};

// Everything that `server` should own now. `server` must have come from fleet::decode().
Desired build(const fleet::MCPServer& server, const Context& context);

// The selector of the server's pods as text: "mcpfleet.dev/server=NAME".
std::string selector(std::string_view name);

// Where clients reach it: "http://NAME.NAMESPACE.svc/mcp". Empty with a workload_ref: its Service,
// if there is one, is somebody else's.
std::string address_url(const fleet::MCPServer& server);

// What to apply as the Deployment's spec.replicas; nullopt: leave it out. `live`: nullptr where the
// Deployment does not exist.
//
// With autoscaling: created at the minimum; then the live value is applied again and again until
// another manager owns the field, because leaving out a field that only we own resets it to 1. The
// scale subresource that the operator writes as actuator is another manager's in this sense.
// Without: an edit of spec.runtime.replicas is applied. While it is what was applied last, the live
// count is adopted: left alone where an autoscaler owns it (a hand-made HPA, or ours that was just
// removed), applied again where only we do. The count that anybody else wrote is put right.
std::optional<int> decide_replicas(const fleet::MCPServer& server, const ObservedDeployment* live);

}  // namespace mcpfleet::desired
