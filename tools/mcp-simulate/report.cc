#include "tools/mcp-simulate/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report_page.h"
#include "tools/mcp-simulate/score_json.h"

namespace mcpfleet::tools {
namespace {

using nlohmann::json;
using simulation::Contest;
using simulation::Moment;
using simulation::Standing;

constexpr std::size_t kPieces = 1200;
constexpr std::string_view kPlace = "/*DATA*/null";

std::size_t seconds_a_piece(const Contest& contest) {
  return std::max<std::size_t>(1, (contest.trace().arrivals.size() + kPieces - 1) / kPieces);
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

// A value a piece of the trace: the mean over its seconds, or the largest.
template <typename Value>
json pieces(std::size_t seconds, std::size_t step, bool worst, Value&& value) {
  json list = json::array();
  for (std::size_t begin = 0; begin < seconds; begin += step) {
    const std::size_t end = std::min(seconds, begin + step);
    double sum = 0;
    double most = 0;
    for (std::size_t i = begin; i < end; ++i) {
      sum += value(i);
      most = std::max(most, static_cast<double>(value(i)));
    }
    list.push_back(rounded(worst ? most : sum / static_cast<double>(end - begin)));
  }
  return list;
}

json policy_json(const Standing& standing, std::size_t step) {
  const auto& moments = standing.timeline.moments;
  const auto mean = [&](auto member) {
    return pieces(moments.size(), step, false, [&](std::size_t i) { return moments[i].*member; });
  };
  const auto worst = [&](auto member) {
    return pieces(moments.size(), step, true, [&](std::size_t i) { return moments[i].*member; });
  };
  return {{"name", standing.who->name},          {"title", standing.who->title},
          {"replicas", mean(&Moment::replicas)}, {"ready", mean(&Moment::ready)},
          {"latency", mean(&Moment::latency)},   {"worst", worst(&Moment::worst)},
          {"waiting", worst(&Moment::waiting)},  {"lost", mean(&Moment::lost)}};
}

}  // namespace

std::string report_page(const Contest& contest, const std::vector<Standing>& standings) {
  const std::size_t step = seconds_a_piece(contest);
  const auto& arrivals = contest.trace().arrivals;
  const auto& serving = contest.plan().serving;
  json data{
      {"scores", json::parse(score_json(contest, standings))},
      {"step", step},
      {"podRate", contest.workload().pod.rate()},
      {"arrivals",
       pieces(arrivals.size(), step, false, [&](std::size_t i) { return arrivals[i]; })},
      {"needed", pieces(serving.size(), step, false, [&](std::size_t i) { return serving[i]; })},
      {"policies", json::array()}};
  for (const Standing& standing : standings)
    data["policies"].push_back(policy_json(standing, step));
  // A name of a file may hold what ends a script.
  std::string text = data.dump(-1, ' ', true, json::error_handler_t::replace);
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;)
    text.replace(at, 1, "\\u003c");
  std::string page = kReportPage;
  page.replace(page.find(kPlace), kPlace.size(), text);
  return page;
}

}  // namespace mcpfleet::tools
