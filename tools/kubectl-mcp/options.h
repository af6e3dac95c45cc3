// The command line of kubectl-mcp.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace mcpfleet::kubectl {

enum class Command : std::uint8_t { Usage, Version, Explain, Top };
enum class Sort : std::uint8_t { Rate, P95, InFlight, Sessions, Name };

struct Options {
  Command command = Command::Usage;
  bool help = false;       // of that command
  std::string server;      // empty: the kubeconfig's
  std::string kubeconfig;  // empty: as kubectl finds it
  std::string context;     // empty: the current one
  std::string namespace_;  // empty: the context's
  // Explain: the one name. Top: these alone; empty: all.
  std::vector<std::string> names;
  bool json = false;            // explain -o json
  bool all_namespaces = false;  // top -A
  bool once = false;            // top --once
  Sort sort = Sort::Rate;
  std::chrono::milliseconds interval{1000};
};

// What --help prints.
const char* usage(Command command);

// `arguments` without the program's name. Error: Invalid, one sentence that names the flag.
Result<Options> parse_options(const std::vector<std::string>& arguments);

}  // namespace mcpfleet::kubectl
