// Scores for people: a table of policies, or one policy in words. Pure, free functions.
#pragma once

#include <string>
#include <vector>

#include "simulation/contest.h"
#include "simulation/population.h"

namespace mcpfleet::tools {

// A line a policy.
std::string score_table(const simulation::Contest& contest,
                        const std::vector<simulation::Standing>& standings);

// One policy, a line a score.
std::string score_text(const simulation::Contest& contest, const simulation::Standing& standing);

// `cpu_seconds`: of this process, for all of it.
std::string population_text(const simulation::Population& population,
                            const simulation::Contestant& who,
                            const simulation::PopulationResult& result, double cpu_seconds);

}  // namespace mcpfleet::tools
