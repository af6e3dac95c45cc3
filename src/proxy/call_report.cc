#include "proxy/call_report.h"

#include <nlohmann/json.hpp>

namespace mcpfleet::proxy {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const CallStats::Series& series) {
  const auto& durations = series.durations;
  const auto quantile = [&durations](double q) {
    const auto value = durations.quantile(q);
    return value ? Json(*value) : Json();
  };
  const auto count = durations.count();
  return {{"requests", count},
          {"errors", series.errors},
          {"meanSeconds", count > 0 ? Json(durations.sum() / static_cast<double>(count)) : Json()},
          {"p50Seconds", quantile(0.5)},
          {"p95Seconds", quantile(0.95)},
          {"p99Seconds", quantile(0.99)}};
}

}  // namespace

Json call_report(const CallStats& stats) {
  Json calls = Json::array();
  CallStats::Series all;
  stats.each([&](std::string_view method, std::string_view tool, const CallStats::Series& series) {
    all.errors += series.errors;
    all.durations.merge(series.durations);
    Json one{{"method", method}, {"tool", tool}};
    one.update(json_of(series));
    calls.push_back(std::move(one));
  });
  Json report = json_of(all);
  report["calls"] = std::move(calls);
  return report;
}

}  // namespace mcpfleet::proxy
