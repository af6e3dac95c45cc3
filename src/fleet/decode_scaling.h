// Decoding of spec.autoscaling. Internal to fleet.
#pragma once

#include <optional>

#include "fleet/mcp_server.h"
#include "fleet/reader.h"

namespace mcpfleet::fleet {

// nullopt where the field is absent. Problems are reported through the field.
std::optional<Autoscaling> decode_autoscaling(const Field& field);

}  // namespace mcpfleet::fleet
