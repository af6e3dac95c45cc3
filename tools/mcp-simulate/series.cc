#include "tools/mcp-simulate/series.h"

#include <array>
#include <cstdio>

namespace mcpfleet::tools {

std::string series_csv(const std::vector<simulation::Standing>& standings) {
  std::string csv = "policy,second,requests,replicas,ready,waiting,latency,over\n";
  std::array<char, 160> numbers{};
  for (const auto& standing : standings) {
    std::size_t second = 0;
    for (const auto& moment : standing.timeline.moments) {
      const int length =
          std::snprintf(numbers.data(), numbers.size(), ",%zu,%.6g,%d,%d,%.6g,%.6g,%d\n", second++,
                        moment.arrived, moment.replicas, moment.ready, moment.waiting,
                        moment.latency, moment.over ? 1 : 0);
      csv.append(standing.who->name).append(numbers.data(), static_cast<std::size_t>(length));
    }
  }
  return csv;
}

}  // namespace mcpfleet::tools
