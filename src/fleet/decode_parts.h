// Decoding of the parts of spec. Internal to fleet. Problems are reported through the field.
#pragma once

#include <optional>

#include "fleet/mcp_server.h"
#include "fleet/reader.h"

namespace mcpfleet::fleet {

ServerConfig decode_config(const Field& field);
Runtime decode_runtime(const Field& field);
// nullopt where the field is absent.
std::optional<Disruption> decode_disruption(const Field& field);
std::optional<Network> decode_network(const Field& field);
std::optional<Autoscaling> decode_autoscaling(const Field& field);

// Lower-case letters, digits and "-", of one character at least.
bool is_dns_label(const std::string& name);

}  // namespace mcpfleet::fleet
