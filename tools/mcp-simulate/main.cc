// mcp-simulate: reads files and flags, replays, and prints.
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "simulation/contest.h"
#include "simulation/fleet_policy.h"
#include "simulation/generate.h"
#include "simulation/population.h"
#include "tools/mcp-simulate/manifest.h"
#include "tools/mcp-simulate/report.h"
#include "tools/mcp-simulate/score_json.h"
#include "tools/mcp-simulate/score_table.h"
#include "tools/mcp-simulate/series.h"
#include "tools/mcp-simulate/simulate_options.h"

namespace mcpfleet::tools {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

Result<std::string> read_file(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return fail(ErrorKind::NotFound, name + ": it cannot be read, or is empty");
  return text.str();
}

Result<void> write_file(const std::string& name, const std::string& text) {
  std::ofstream file(name, std::ios::binary);
  if (!file.write(text.data(), std::ssize(text)) || !file.flush())
    return fail(ErrorKind::Unavailable, name + ": it cannot be written");
  return {};
}

Result<fleet::MCPServer> load_server(const std::string& file) {
  if (file.empty()) return parse_manifest(kDefaultManifest, "the built-in MCPServer");
  const auto text = read_file(file);
  if (!text) return fail(text.error());
  return parse_manifest(*text, file);
}

Result<simulation::Trace> load_trace(const SimulateOptions& options) {
  Result<simulation::Trace> trace;
  if (simulation::is_shape(options.trace)) {
    const auto shape = simulation::parse_shape(options.trace);
    if (!shape) return fail(shape.error().kind, "--trace " + shape.error().message);
    trace = simulation::generate(*shape, options.trace);
  } else {
    const auto text = read_file(options.trace);
    if (!text) return fail(text.error());
    trace = text->find_first_not_of(" \r\n\t") == text->find('{')
                ? simulation::parse_history(*text, options.trace)
                : simulation::parse_csv(*text, options.trace);
  }
  if (!trace) return trace;
  simulation::scale(*trace, options.scale);
  simulation::spread(*trace, options.spread);
  return trace;
}

Result<std::vector<simulation::Standing>> run_all(const SimulateOptions& options,
                                                  const simulation::Contest& contest) {
  std::vector<simulation::Standing> standings;
  for (const auto& who : simulation::contestants()) {
    if (!options.compare && options.policy != who.name) continue;
    auto standing = contest.run(who);
    if (!standing) return fail(standing.error());
    standings.push_back(std::move(*standing));
  }
  return standings;
}

Result<std::string> simulate_trace(const SimulateOptions& options, const fleet::MCPServer& server) {
  auto trace = load_trace(options);
  if (!trace) return fail(trace.error());
  const simulation::Contest contest(server, options.workload, std::move(*trace), options.seed);
  const auto standings = run_all(options, contest);
  if (!standings) return fail(standings.error());
  if (!options.report.empty()) {
    if (auto done = write_file(options.report, report_page(contest, *standings)); !done)
      return fail(done.error());
  }
  if (!options.series.empty()) {
    if (auto done = write_file(options.series, series_csv(*standings)); !done)
      return fail(done.error());
  }
  if (options.json) return score_json(contest, *standings);
  return options.compare ? score_table(contest, *standings)
                         : score_text(contest, standings->front());
}

// Processor time, so that others on the machine do not count.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Result<std::string> simulate_fleet(const SimulateOptions& options, const fleet::MCPServer& server) {
  const simulation::Population population{
      .servers = options.fleet, .hours = options.hours, .seed = options.seed};
  const auto& who = *simulation::find_contestant(options.policy);
  const double before = cpu_seconds();
  const auto result = simulation::simulate(population, who, server, options.workload);
  if (!result) return fail(result.error());
  const double took = cpu_seconds() - before;
  return options.json ? population_json(population, who, *result, took)
                      : population_text(population, who, *result, took);
}

Result<std::string> run(SimulateOptions& options) {
  const auto server = load_server(options.server);
  if (!server) return fail(server.error());
  if (!server->autoscaling)
    return fail(ErrorKind::Invalid,
                options.server + ": spec.autoscaling is missing: there is nothing to simulate");
  options.workload.limits = {server->autoscaling->min_replicas, server->autoscaling->max_replicas};
  for (const std::string& note : simulation::left_out(*server))
    std::fprintf(stderr, "mcp-simulate: %s\n", note.c_str());
  return options.fleet > 0 ? simulate_fleet(options, *server) : simulate_trace(options, *server);
}

int start(const std::vector<std::string>& arguments) {
  auto options = parse_simulate_options(arguments);
  if (!options) {
    std::fprintf(stderr, "mcp-simulate: %s\n", options.error().message.c_str());
    return kUsage;
  }
  if (options->help) {
    std::fputs(kSimulateUsage, stdout);
    return 0;
  }
  const auto text = run(*options);
  if (!text) {
    std::fprintf(stderr, "mcp-simulate: %s\n", text.error().message.c_str());
    return kFailed;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace mcpfleet::tools

int main(int argc, char** argv) {
  return mcpfleet::tools::start(std::vector<std::string>(argv + 1, argv + argc));
}
