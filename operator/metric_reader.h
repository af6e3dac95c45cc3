// Reads metrics of MCPServers in bulk from the metrics API, through the API server.
//
// Thread safety: as kube::Client; the parser is pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/client.h"

namespace mcpfleet::op {

struct MetricValue {
  double value = 0;
  WallTime at{};     // when it was true, in whole seconds
  Duration over{0};  // what it is the average of; 0: a moment
  bool operator==(const MetricValue&) const = default;
};
// Values by the name of the MCPServer. A server that has no value is not there.
using MetricValues = std::map<std::string, MetricValue>;

// `metric` of the MCPServers of a namespace; of one tool where `tool` is not empty.
struct MetricQuery {
  std::string namespace_;
  std::string metric;
  std::string tool;
  Duration window{0};  // of rates; 0: the adapter's own
  auto operator<=>(const MetricQuery&) const = default;
};

// A MetricValueList. Error: Malformed.
Result<MetricValues> parse_metric_values(std::string_view text);

// The mean of a minute that is over, by when it began.
struct PastMinute {
  WallTime at{};
  double mean = 0;
  bool operator==(const PastMinute&) const = default;
};
// A MetricHistory by minutes, the oldest first; of several series the first. Error: Malformed.
Result<std::vector<PastMinute>> parse_past(std::string_view text);

class MetricReader {
 public:
  explicit MetricReader(kube::Client& client) : client_(client) {}

  // Of all MCPServers of the namespace.
  Result<MetricValues> read_all(const MetricQuery& query);

  // The last 24 hours of one server. Error: NotFound where nothing is remembered.
  Result<std::vector<PastMinute>> past(const std::string& server, const MetricQuery& query);

  // Why one server has no value: the metrics API's own sentence; empty where it has one by now.
  std::string explain(const std::string& server, const MetricQuery& query);

 private:
  kube::Client& client_;
};

}  // namespace mcpfleet::op
