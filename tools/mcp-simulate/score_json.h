// Scores for programs, as JSON texts. Pure, free functions.
#pragma once

#include <string>
#include <vector>

#include "simulation/contest.h"
#include "simulation/population.h"

namespace mcpfleet::tools {

// {"trace", "seconds", "workload", "policies": [{"name", "side", scores…}]}; times in seconds,
// shares from 0 to 1.
std::string score_json(const simulation::Contest& contest,
                       const std::vector<simulation::Standing>& standings);

std::string population_json(const simulation::Population& population,
                            const simulation::Contestant& who,
                            const simulation::PopulationResult& result, double cpu_seconds);

}  // namespace mcpfleet::tools
