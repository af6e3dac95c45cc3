// An MCPServer, as far as the metrics API is concerned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics-adapter/labels.h"

namespace mcpfleet::adapter {

struct ServerRecord {
  std::string namespace_;
  std::string name;
  Labels labels;
  std::optional<std::int64_t> recommended_replicas;  // status.scaling.recommendedReplicas
};

// From an MCPServer's JSON. Error: Malformed.
Result<ServerRecord> decode_server(std::string_view json);

}  // namespace mcpfleet::adapter
