// What metrics.mcpfleet.dev says of MCPServers: live values, with their times.
//
// Thread safety: as kube::Client; the parser is pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/client.h"
#include "tools/kubectl-mcp/explanation.h"

namespace mcpfleet::kubectl {

struct TimedValue {
  double value = 0;
  WallTime time{};
};

// By the name of the MCPServer. A server that has no value is not there.
using TimedValues = std::map<std::string, TimedValue>;

// A MetricValueList. Error: Malformed.
Result<TimedValues> parse_values(std::string_view text);

// A metric of all MCPServers of a namespace. The error's message is a sentence: the metrics API's
// own, or that it does not answer.
Result<TimedValues> read_values(kube::Client& client, const std::string& namespace_,
                                const std::string& metric);

// Of one server.
LiveValue read_value(kube::Client& client, const std::string& namespace_, const std::string& server,
                     const MetricKey& key);

}  // namespace mcpfleet::kubectl
