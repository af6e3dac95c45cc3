// The builders of an MCPGateway's single objects. Internal to desired.
#pragma once

#include <string>

#include "base/result.h"
#include "desired/gateway.h"
#include "desired/parts.h"

namespace mcpfleet::desired {

Owner owner_of(const fleet::MCPGateway& gateway);
Json gateway_labels(const fleet::MCPGateway& gateway);
std::string gateway_secret_name(const fleet::MCPGateway& gateway);

// Errors: Invalid, where spec.podTemplate is no proper patch or would change what the product
// needs; the sentence names the field.
Result<Json> gateway_deployment(const fleet::MCPGateway& gateway, const GatewayContext& context);

}  // namespace mcpfleet::desired
