// A page that shows what happened, second by second: HTML that needs nothing beside itself. Pure.
#pragma once

#include <string>
#include <vector>

#include "simulation/contest.h"

namespace mcpfleet::tools {

// The whole page. Long traces are drawn in at most 1,200 pieces: of each the mean of rates and
// replicas, and the worst latency.
std::string report_page(const simulation::Contest& contest,
                        const std::vector<simulation::Standing>& standings);

}  // namespace mcpfleet::tools
