// What happened, second by second, as CSV, for those who draw or compare curves themselves. Pure.
#pragma once

#include <string>
#include <vector>

#include "simulation/contest.h"

namespace mcpfleet::tools {

// A header, then a line for each policy and second: policy, second, requests (arrived), replicas
// (as written), ready (pods that serve), waiting (calls at the end of the second), latency
// (seconds, the mean of the calls served), over (1: over the objective).
std::string series_csv(const std::vector<simulation::Standing>& standings);

}  // namespace mcpfleet::tools
