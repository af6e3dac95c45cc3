// Reads metrics of MCPServers in bulk from the metrics API, through the API server.
//
// Thread safety: as kube::Client; the parser is pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/client.h"

namespace mcpfleet::op {

// Values by the name of the MCPServer. A server that has no value is not there.
using MetricValues = std::map<std::string, double>;

// A MetricValueList. Error: Malformed.
Result<MetricValues> parse_metric_values(std::string_view text);

class MetricReader {
 public:
  explicit MetricReader(kube::Client& client) : client_(client) {}

  // `metric` of all MCPServers of a namespace; of one tool where `tool` is not empty.
  Result<MetricValues> read_all(const std::string& namespace_, const std::string& metric,
                                const std::string& tool);

  // Why one server has no value: the metrics API's own sentence; empty where it has one by now.
  std::string explain(const std::string& namespace_, const std::string& server,
                      const std::string& metric, const std::string& tool);

 private:
  kube::Client& client_;
};

}  // namespace mcpfleet::op
