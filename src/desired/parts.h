// The builders of the single objects. Internal to desired.
#pragma once

#include <string>
#include <vector>

#include "desired/desired.h"
#include "fleet/json_text.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::desired {

using fleet::Json;

// Metadata of a child: name, namespace, the labels, and the MCPServer as controlling owner.
Json child_metadata(const fleet::MCPServer& server, const std::string& name);
Json labels(const fleet::MCPServer& server);
std::string secret_name(const fleet::MCPServer& server);

Json deployment(const fleet::MCPServer& server, const Context& context,
                std::vector<std::string>& notes);

// The HPA's metrics; empty where nothing that was asked for can be measured.
Json hpa_metrics(const fleet::MCPServer& server, std::vector<std::string>& notes);
Json hpa(const fleet::MCPServer& server, const Context& context, Json metrics,
         std::vector<std::string>& notes);

// spec.behavior of the HPA. Tolerance goes only to an API server that knows the field: another
// would refuse the whole object.
Json hpa_behavior(const fleet::Autoscaling& autoscaling, bool tolerance_supported,
                  std::vector<std::string>& notes);

}  // namespace mcpfleet::desired
