// Decoding of the parts of spec. Internal to fleet. Problems are reported through the field.
#pragma once

#include <optional>
#include <string>

#include "fleet/mcp_server.h"
#include "fleet/reader.h"

namespace mcpfleet::fleet {

ServerConfig decode_config(const Field& field);
// `standard` where the field is absent.
std::string decode_url_path(const Field& field, const std::string& standard);
Runtime decode_runtime(const Field& field);
RawJson decode_resources(const Field& field);
RawJson decode_pod_template(const Field& field);
ProxyOverride decode_proxy(const Field& field);
// Of a gateway's spec.
TrafficSettings decode_traffic(const Field& spec);
// nullopt where the field is absent.
std::optional<Disruption> decode_disruption(const Field& field);
std::optional<Network> decode_network(const Field& field);
std::optional<Autoscaling> decode_autoscaling(const Field& field);

// Lower-case letters, digits and "-", starting with a letter, of at most 52 characters.
void check_name(const Field& field, const std::string& name);

// What all objects of ours have. `Object`: MCPServer or MCPGateway.
template <typename Object>
void decode_metadata(const Field& metadata, Object& object) {
  const Json& value = metadata.value();
  object.name = text_of(value, "name");
  object.namespace_ = text_of(value, "namespace");
  object.uid = text_of(value, "uid");
  object.generation = number_of(value, "generation");
  object.resource_version = text_of(value, "resourceVersion");
  object.deleting = member(value, "deletionTimestamp").is_string();
  if (object.name.empty()) metadata["name"].refuse("is required");
}

// Lower-case letters, digits and "-", of one character at least.
bool is_dns_label(const std::string& name);

}  // namespace mcpfleet::fleet
