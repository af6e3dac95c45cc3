// What can move the replicas of a server: its targets, its rules, and what looks ahead; each with
// its value now beside its target.
//
// Pure: free functions, plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tools/kubectl-mcp/explanation.h"

namespace mcpfleet::kubectl {

struct Driver {
  std::string name;             // "requestsPerSecond", "rule slow-calls", "schedule morning"
  std::string value;            // empty: unknown, or it has none, such as a schedule
  std::string target;           // "100 a replica", "> 500ms"; empty: none
  std::optional<Duration> age;  // of `value`; absent: not known
  std::string detail;           // what else there is to say: a rule's window, action, last firing
  std::string missing;          // why there is no value, a sentence
};

// In the order of the spec. Empty without spec.autoscaling.
std::vector<Driver> drivers(const Explanation& explanation);

}  // namespace mcpfleet::kubectl
