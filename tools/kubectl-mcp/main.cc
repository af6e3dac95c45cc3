// kubectl-mcp, a plugin of kubectl: kubectl runs it for "kubectl mcp …".
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "log/log.h"
#include "tools/kubectl-mcp/cluster.h"
#include "tools/kubectl-mcp/explain_json.h"
#include "tools/kubectl-mcp/explain_text.h"
#include "tools/kubectl-mcp/gather.h"
#include "tools/kubectl-mcp/options.h"
#include "tools/kubectl-mcp/terminal.h"
#include "tools/kubectl-mcp/top.h"

namespace mcpfleet::kubectl {
namespace {

constexpr std::size_t kReadable = 100;  // columns of prose

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<int> run_explain(const Options& options, const Cluster& cluster, const Clock& clock) {
  const auto explanation =
      gather(*cluster.client, cluster.namespace_, options.names.front(), clock);
  if (!explanation) return fail(explanation.error());
  const auto terminal = look_at_terminal(environment);
  const std::string text =
      options.json
          ? explain_json(*explanation)
          : explain_text(*explanation, std::min(terminal.width, kReadable), terminal.colour);
  std::fputs(text.c_str(), stdout);
  return 0;
}

Result<int> run_command(const Options& options) {
  const SystemClock clock;
  const auto cluster = open_cluster(
      {options.server, options.kubeconfig, options.context, options.namespace_}, environment);
  if (!cluster) return fail(cluster.error());
  if (options.command == Command::Top) return run_top(options, *cluster, clock, environment);
  return run_explain(options, *cluster, clock);
}

int run(const std::vector<std::string>& arguments) {
  const auto options = parse_options(arguments);
  if (!options) {
    std::fprintf(stderr, "kubectl mcp: %s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help || options->command == Command::Usage) {
    std::fputs(usage(options->command), stdout);
    return 0;
  }
  if (options->command == Command::Version) {
    std::puts("kubectl-mcp " MCPFLEET_VERSION);
    return 0;
  }
  // What the libraries log is for servers; here a sentence says what failed.
  log::configure(log::Format::Text, log::Level::Error);
  const auto code = run_command(*options);
  if (!code) std::fprintf(stderr, "%s\n", kubectl_words(code.error()).c_str());
  return code.value_or(1);
}

}  // namespace
}  // namespace mcpfleet::kubectl

int main(int argc, char** argv) { return mcpfleet::kubectl::run({argv + 1, argv + argc}); }
