// The builders of the single objects. Internal to desired.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "desired/desired.h"
#include "fleet/json_text.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::desired {

using fleet::Json;

// Whose children they are.
struct Owner {
  const char* kind = "";
  std::string namespace_;
  std::string name;
  std::string uid;
  Json labels;  // of each child
};
Owner owner_of(const fleet::MCPServer& server);
// Metadata of a child: name, namespace, the labels, and the controlling owner.
Json child_metadata(const Owner& owner, const std::string& name);
Json child_metadata(const fleet::MCPServer& server, const std::string& name);
Json labels(const fleet::MCPServer& server);
std::string secret_name(const fleet::MCPServer& server);

// The two volumes of each pod that are ours, and the names of the sidecar's ports.
inline constexpr const char* kSharedVolume = "mcpfleet";
inline constexpr const char* kSessionKeyVolume = "session-key";
inline constexpr const char* kMcpPortName = "mcp";
inline constexpr const char* kMetricsPortName = "metrics";

// What the user gave as JSON and fleet::decode() has checked; `fallback` where there is none.
Json raw(const fleet::RawJson& text, Json fallback);

// Errors: Invalid, of with_overlay().
Result<Json> deployment(const fleet::MCPServer& server, const Context& context,
                        std::vector<std::string>& notes);
// An environment variable by which the sidecar knows itself.
bool is_sidecar_variable(std::string_view name);

// `pod_template` with spec.runtime.podTemplate laid over it. Errors: Invalid, where that is no
// proper patch or would change what the product needs; the sentence names the field.
Result<Json> with_overlay(const fleet::MCPServer& server, Json pod_template);

Json service_account(const Owner& owner);
// Of the pods that `selector` finds.
Json disruption_budget(const Owner& owner, const fleet::Disruption& disruption, Json selector);
// The selector of the server's pods.
Json own_pods(const fleet::MCPServer& server);
bool restricts_network(const fleet::MCPServer& server);
Json network_policy(const fleet::MCPServer& server);  // only where restricts_network()
Json service_monitor(const fleet::MCPServer& server);

// The HPA's metrics; empty where nothing that was asked for can be measured.
Json hpa_metrics(const fleet::MCPServer& server, std::vector<std::string>& notes);
Json hpa(const fleet::MCPServer& server, const Context& context, Json metrics,
         std::vector<std::string>& notes);

// spec.behavior of the HPA. Tolerance goes only to an API server that knows the field: another
// would refuse the whole object.
Json hpa_behavior(const fleet::Autoscaling& autoscaling, bool tolerance_supported,
                  std::vector<std::string>& notes);

}  // namespace mcpfleet::desired
