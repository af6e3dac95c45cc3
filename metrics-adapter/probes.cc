#include "metrics-adapter/probes.h"

namespace mcpfleet::adapter {

std::optional<http::Response> answer_probe(const Target& target, const std::vector<Check>& checks) {
  if (target.segments.size() != 1) return std::nullopt;
  const auto& name = target.segments.front();
  if (name != "healthz" && name != "livez" && name != "readyz") return std::nullopt;
  std::string lines = "[+]ping ok\n";
  bool good = true;
  if (name == "readyz") {
    const auto excluded = target.query.find("exclude");
    for (const auto& check : checks) {
      if (excluded != target.query.end() && excluded->second == check.name) continue;
      const bool passed = check.good();
      good = good && passed;
      lines +=
          passed ? "[+]" + check.name + " ok\n" : "[-]" + check.name + " failed: reason withheld\n";
    }
  }
  if (!good) return http::text_response(500, lines + name + " check failed\n");
  if (!target.query.contains("verbose")) return http::text_response(200, "ok");
  return http::text_response(200, lines + name + " check passed\n");
}

}  // namespace mcpfleet::adapter
