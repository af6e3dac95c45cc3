// The command line of mcp-simulate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "simulation/workload.h"

namespace mcpfleet::tools {

struct SimulateOptions {
  std::string server;  // a file; empty: kDefaultManifest
  std::string trace = "steps";
  double scale = 1;
  int spread = 1;  // seconds
  std::string policy = "mcpfleet-hpa";
  bool compare = false;
  bool json = false;
  std::string report;  // a file; empty: none
  std::string series;  // a file; empty: none
  // Its limits are those of the server.
  simulation::Workload workload;
  std::uint64_t seed = 1;
  int fleet = 0;  // servers; 0: one trace instead
  int hours = 24;
  bool help = false;
};

// What --help prints.
extern const char* const kSimulateUsage;

// `arguments` without the program's name. Error: Invalid, one sentence that names the flag.
Result<SimulateOptions> parse_simulate_options(const std::vector<std::string>& arguments);

}  // namespace mcpfleet::tools
