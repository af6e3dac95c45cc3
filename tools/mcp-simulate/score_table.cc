#include "tools/mcp-simulate/score_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace mcpfleet::tools {
namespace {

using simulation::Contest;
using simulation::Score;
using simulation::Standing;

constexpr double kHour = 3600;

std::string fixed(double value, int digits) {
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 63))};
}

std::string percent(double share, int digits = 2) { return fixed(100 * share, digits); }

std::string reaction(const Score& score) {
  return score.answered > 0 ? fixed(score.react_mean, 1) : "-";
}

struct Column {
  const char* title;
  std::string (*cell)(const Score&);
};

constexpr std::array kColumns{
    Column{"over %", [](const Score& s) { return percent(s.over_share()); }},
    Column{"late+lost %", [](const Score& s) { return percent(s.late_or_lost_share()); }},
    Column{"lost", [](const Score& s) { return fixed(s.lost, 0); }},
    Column{"pod h", [](const Score& s) { return fixed(s.pod_seconds / kHour, 2); }},
    Column{"x oracle", [](const Score& s) { return fixed(s.pod_ratio(), 2); }},
    Column{"under %", [](const Score& s) { return percent(s.under_accuracy, 1); }},
    Column{"over-p %", [](const Score& s) { return percent(s.over_accuracy, 1); }},
    Column{"t under %", [](const Score& s) { return percent(s.under_time, 1); }},
    Column{"t over %", [](const Score& s) { return percent(s.over_time, 1); }},
    Column{"rev/h", [](const Score& s) { return fixed(s.reversals_per_hour(), 1); }},
    Column{"react s", [](const Score& s) { return reaction(s); }},
    Column{"peak", [](const Score& s) { return std::to_string(s.peak_replicas); }},
};

std::string head(const Contest& contest) {
  const auto& [pod, objective, limits] = contest.workload();
  std::string text =
      "trace " + contest.trace().name + ": " + std::to_string(contest.trace().arrivals.size()) +
      " s; pods: " + fixed(pod.rate(), 1) + " calls/s each, " + std::to_string(pod.start_seconds) +
      " s to start, " + std::to_string(limits.min_replicas) + " to " +
      std::to_string(limits.max_replicas) + "; objective: " + fixed(100 * objective.share, 1) +
      " % within " + fixed(1000 * objective.seconds, 0) + " ms (simulated)\n";
  if (contest.plan().hopeless)
    text += "no number of pods can meet this objective: serving alone takes " +
            fixed(1000 * pod.service_seconds, 0) + " ms\n";
  else if (contest.plan().limited)
    text += "maxReplicas is too small for this trace: even the oracle has late calls\n";
  return text;
}

void pad(std::string& line, const std::string& cell, std::size_t width) {
  line.append(width > cell.size() ? width - cell.size() : 0, ' ');
  line += cell;
}

}  // namespace

std::string score_table(const Contest& contest, const std::vector<Standing>& standings) {
  constexpr std::size_t kName = 20;
  std::string text = head(contest);
  std::string line = "policy";
  line.resize(kName, ' ');
  for (const Column& column : kColumns)
    pad(line, column.title, std::string_view(column.title).size() + 2);
  text += line + "\n";
  for (const Standing& standing : standings) {
    line = standing.who->name;
    line.resize(std::max(kName, line.size()), ' ');
    for (const Column& column : kColumns)
      pad(line, column.cell(standing.score), std::string_view(column.title).size() + 2);
    text += line + "\n";
  }
  return text;
}

std::string score_text(const Contest& contest, const Standing& standing) {
  const Score& score = standing.score;
  const auto row = [](std::string title, const std::string& value) {
    title.resize(std::max<std::size_t>(26, title.size()), ' ');
    return "  " + title + value + "\n";
  };
  std::string text = head(contest);
  text += std::string(standing.who->name) + ", " + standing.who->title + "\n";
  text += row("time over the objective",
              percent(score.over_share()) + " % (" + fixed(score.over_seconds, 0) + " s)");
  text += row("calls", fixed(score.requests, 0) + ", late " + fixed(score.late, 0) + ", lost " +
                           fixed(score.lost, 0) + " (together " +
                           percent(score.late_or_lost_share()) + " %)");
  text +=
      row("pod-hours", fixed(score.pod_seconds / kHour, 2) + ", " + fixed(score.pod_ratio(), 2) +
                           " times the oracle's " + fixed(score.oracle_pod_seconds / kHour, 2));
  text += row("too few pods", percent(score.under_time, 1) + " % of the time, on average " +
                                  percent(score.under_accuracy, 1) + " % of the demand");
  text += row("too many pods", percent(score.over_time, 1) + " % of the time, on average " +
                                   percent(score.over_accuracy, 1) + " % of the demand");
  text += row("changes", std::to_string(score.changes) + ", reversals " +
                             fixed(score.reversals_per_hour(), 1) + " an hour");
  text +=
      row("time to react",
          reaction(score) + " s on average, at worst " + fixed(score.react_worst, 0) + " s (" +
              std::to_string(score.answered) + " of " + std::to_string(score.rises) + " rises)");
  text += row("most replicas", std::to_string(score.peak_replicas));
  return text;
}

std::string population_text(const simulation::Population& population,
                            const simulation::Contestant& who,
                            const simulation::PopulationResult& result, double cpu_seconds) {
  const auto& calls = result.calls;
  const double over = result.server_seconds > 0 ? calls.over_seconds / result.server_seconds : 0;
  const double missed = calls.arrived > 0 ? (calls.late + calls.lost) / calls.arrived : 0;
  const double hours = result.server_seconds / kHour;
  std::string text = std::to_string(population.servers) + " servers for " +
                     std::to_string(population.hours) + " h under " + who.name + " (simulated)\n";
  text += "  peak pods               " + std::to_string(result.peak_pods) + ", at second " +
          std::to_string(result.peak_second) + "; of one server " +
          std::to_string(calls.peak_replicas) + "\n";
  text += "  pod-hours               " + fixed(result.pod_seconds / kHour, 0) + "\n";
  text += "  calls                   " + fixed(calls.arrived, 0) + ", late or lost " +
          percent(missed, 3) + " %\n";
  text += "  time over the objective " + percent(over, 3) + " % of the servers' time; " +
          std::to_string(result.servers_over) + " servers for more than 1 %\n";
  text += "  took                    " + fixed(cpu_seconds, 1) + " s of one core\n";
  text += "simulated_server_hours_per_second " +
          fixed(cpu_seconds > 0 ? hours / cpu_seconds : 0, 0) + "\n";
  return text;
}

}  // namespace mcpfleet::tools
