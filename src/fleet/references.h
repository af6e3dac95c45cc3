// The Secrets and ConfigMaps that an MCPServer's pods read.
//
// Pure. Thread safety: plain values, free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fleet/mcp_server.h"

namespace mcpfleet::fleet {

struct Reference {
  enum class Kind { Secret, ConfigMap };
  Kind kind = Kind::Secret;
  std::string name;
  bool optional = false;  // a pod starts without it; false as soon as one use needs it
  std::string field;      // where it is named first (or first needed), such as "spec.config.env[0]"
  bool operator==(const Reference&) const = default;
};

// "Secret" or "ConfigMap".
std::string_view to_string(Reference::Kind kind);

// All that env, envFrom, storage and podTemplate name, each once, ordered by kind and name, all in
// the MCPServer's own namespace. Not imagePullSecrets: the kubelet reads those anew for each pull.
// Nothing for a server with a workload_ref.
std::vector<Reference> references(const MCPServer& server);

}  // namespace mcpfleet::fleet
