#include "tools/mcp-simulate/score_json.h"

#include <nlohmann/json.hpp>

namespace mcpfleet::tools {
namespace {

using nlohmann::ordered_json;
using simulation::Contest;
using simulation::Score;
using simulation::Standing;

const char* side_name(simulation::Side side) {
  switch (side) {
    case simulation::Side::Ours:
      return "ours";
    case simulation::Side::Rival:
      return "rival";
    case simulation::Side::Bound:
      return "bound";
  }
  return "";
}

ordered_json policy_json(const Standing& standing) {
  const Score& score = standing.score;
  ordered_json json{{"name", standing.who->name},
                    {"side", side_name(standing.who->side)},
                    {"requests", score.requests},
                    {"late", score.late},
                    {"lost", score.lost},
                    {"unserved", score.unserved},
                    {"overSeconds", score.over_seconds},
                    {"overShare", score.over_share()},
                    {"podSeconds", score.pod_seconds},
                    {"oraclePodSeconds", score.oracle_pod_seconds},
                    {"podRatio", score.pod_ratio()},
                    {"peakReplicas", score.peak_replicas},
                    {"underAccuracy", score.under_accuracy},
                    {"overAccuracy", score.over_accuracy},
                    {"underTimeShare", score.under_time},
                    {"overTimeShare", score.over_time},
                    {"changes", score.changes},
                    {"reversalsPerHour", score.reversals_per_hour()},
                    {"rises", score.rises},
                    {"risesAnswered", score.answered}};
  json["reactSeconds"] = score.answered > 0 ? ordered_json(score.react_mean) : ordered_json();
  json["reactWorstSeconds"] = score.answered > 0 ? ordered_json(score.react_worst) : ordered_json();
  return json;
}

}  // namespace

std::string score_json(const Contest& contest, const std::vector<Standing>& standings) {
  const auto& [pod, objective, limits] = contest.workload();
  ordered_json json{{"trace", contest.trace().name},
                    {"seconds", contest.trace().arrivals.size()},
                    {"workload",
                     {{"concurrency", pod.concurrency},
                      {"serviceSeconds", pod.service_seconds},
                      {"startSeconds", pod.start_seconds},
                      {"stopSeconds", pod.stop_seconds},
                      {"objectiveSeconds", objective.seconds},
                      {"quantile", objective.share},
                      {"timeoutSeconds", objective.timeout_seconds},
                      {"minReplicas", limits.min_replicas},
                      {"maxReplicas", limits.max_replicas}}},
                    {"oracleLimited", contest.plan().limited},
                    {"objectiveHopeless", contest.plan().hopeless},
                    {"policies", ordered_json::array()}};
  for (const Standing& standing : standings) json["policies"].push_back(policy_json(standing));
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string population_json(const simulation::Population& population,
                            const simulation::Contestant& who,
                            const simulation::PopulationResult& result, double cpu_seconds) {
  const auto& calls = result.calls;
  const double hours = result.server_seconds / 3600;
  const ordered_json json{
      {"servers", population.servers},
      {"hours", population.hours},
      {"policy", who.name},
      {"peakPods", result.peak_pods},
      {"peakSecond", result.peak_second},
      {"peakReplicas", calls.peak_replicas},
      {"podSeconds", result.pod_seconds},
      {"requests", calls.arrived},
      {"late", calls.late},
      {"lost", calls.lost},
      {"overShare", result.server_seconds > 0 ? calls.over_seconds / result.server_seconds : 0},
      {"serversOver", result.servers_over},
      {"cpuSeconds", cpu_seconds},
      {"simulatedServerHoursPerSecond", cpu_seconds > 0 ? hours / cpu_seconds : 0}};
  return json.dump(2) + "\n";
}

}  // namespace mcpfleet::tools
