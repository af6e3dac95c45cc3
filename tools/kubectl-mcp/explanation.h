// What `kubectl mcp explain` knows of one MCPServer: decoded values, gathered at one time.
//
// Thread safety: plain values.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "desired/observed.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::kubectl {

// A metric of the server; of one tool where `tool` is not empty.
struct MetricKey {
  std::string metric;
  std::string tool;
  auto operator<=>(const MetricKey&) const = default;
};

// What the metrics API answered about it.
struct LiveValue {
  std::optional<double> value;  // absent: `why` says so, in the API's own words
  WallTime time{};              // of the oldest scrape in it
  std::string why;
};

// An Event, in its own words.
struct Told {
  WallTime time{};
  std::string message;
};

struct HpaReport {
  desired::ObservedHpa hpa;
  std::optional<WallTime> last_scaled;
  std::optional<Told> last_event;  // the last time that it changed the replicas
};

struct Explanation {
  fleet::MCPServer server;
  std::string invalid;  // why the spec cannot be read; empty: it can
  std::map<MetricKey, LiveValue> live;
  std::optional<HpaReport> hpa;  // absent: none is wanted, or `hpa_problem` says why
  std::string hpa_problem;
  WallTime now{};
};

// What the metrics API has to be asked: each target's metric and each rule's, once.
std::vector<MetricKey> metrics_of(const fleet::MCPServer& server);

// The metric of the objective: "mcp_request_duration_seconds_p95".
std::string latency_metric(fleet::Quantile quantile);

}  // namespace mcpfleet::kubectl
