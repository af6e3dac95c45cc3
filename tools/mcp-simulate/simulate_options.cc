#include "tools/mcp-simulate/simulate_options.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "base/time_text.h"
#include "simulation/contestant.h"
#include "simulation/generate.h"

namespace mcpfleet::tools {

const char* const kSimulateUsage =
    R"(mcp-simulate tries a scaling policy before it is trusted: it replays load against a model of pods.

  mcp-simulate --server mcpserver.yaml --trace trace.csv             one policy, and how it did
  mcp-simulate --server mcpserver.yaml --trace day --compare         beside those of others
  mcp-simulate --fleet 10000 --hours 24                              a fleet of servers

What is replayed
  --server FILE        an MCPServer (YAML or JSON); default: 1 to 100 replicas, 70 calls/s a pod
  --trace FILE         CSV second,requests, or the JSON of a history of mcp_requests_per_second
  --trace KIND[:NAME=VALUE,...]
                       made: steps, ramp, spike, day or noise; the values are base, peak (calls/s),
                       seconds, hold, every, period (seconds), seed, poisson (0 or 1); default steps
  --scale NUMBER       so many times as many calls; default 1
  --spread DURATION    the calls of each tick of a coarse clock, evenly over so long; default 1s
  --policy NAME        default mcpfleet-hpa; a wrong name lists them
  --compare            all policies side by side
  --seed NUMBER        of the phases of all loops, and of --fleet; default 1

The pods and their callers
  --concurrency NUMBER calls that a pod serves at once; default 10
  --service-time DURATION
                       of a call, without waiting; default 100ms
  --start-up DURATION  until a pod serves; default 10s
  --stop DURATION      a pod is paid for after its removal; default 5s
  --cpu PERCENT        of its request, where a pod serves as much as it can; default 100
  --objective DURATION a call is late after it; default 500ms
  --quantile NUMBER    this share of a second's calls shall not be late; default 0.95
  --timeout DURATION   a call is given up after waiting so long; default 30s

A fleet
  --fleet NUMBER       of servers, each with a day curve of its own; instead of a trace
  --hours NUMBER       default 24

What comes out
  --json               numbers for programs
  --report FILE        a page (HTML, by itself) with demand, capacity, replicas and latency
  --series FILE        the same second by second, as CSV

Flags are given as "--flag value" or "--flag=value".
)";

namespace {

using SetFlag = std::function<Result<void>(const std::string&)>;

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::Invalid, std::move(message));
}

template <typename Number>
SetFlag number(Number& field, Number least, Number most) {
  return [&field, least, most](const std::string& text) -> Result<void> {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= least &&
        value <= most) {
      field = value;
      return {};
    }
    const auto shown = [](Number bound) {
      std::string digits = std::to_string(bound);
      if (digits.find('.') == std::string::npos) return digits;
      digits.erase(digits.find_last_not_of('0') + 1);
      if (digits.ends_with('.')) digits.pop_back();
      return digits;
    };
    return invalid("must be a number from " + shown(least) + " to " + shown(most) + ", not \"" +
                   text + "\"");
  };
}

SetFlag text(std::string& field) {
  return [&field](const std::string& value) -> Result<void> {
    if (value.empty()) return invalid("must not be empty");
    field = value;
    return {};
  };
}

// A duration as seconds, which the model may have as a fraction.
SetFlag seconds(double& field) {
  return [&field](const std::string& value) -> Result<void> {
    const auto length = parse_duration(value);
    if (!length) return fail(length.error());
    field = std::chrono::duration<double>(*length).count();
    return {};
  };
}

SetFlag whole_seconds(int& field, int most) {
  return [&field, most](const std::string& value) -> Result<void> {
    const auto length = parse_duration(value);
    if (!length) return fail(length.error());
    const auto whole = std::chrono::floor<std::chrono::seconds>(*length);
    if (whole != *length || whole > std::chrono::seconds(most))
      return invalid("must be whole seconds, at most " + std::to_string(most) + "s, not \"" +
                     value + "\"");
    field = static_cast<int>(whole.count());
    return {};
  };
}

SetFlag policy(std::string& field) {
  return [&field](const std::string& value) -> Result<void> {
    if (simulation::find_contestant(value) != nullptr) {
      field = value;
      return {};
    }
    std::string names;
    for (const auto& who : simulation::contestants())
      names += (names.empty() ? "" : ", ") + std::string(who.name);
    return invalid("must be one of " + names + ", not \"" + value + "\"");
  };
}

std::map<std::string, SetFlag> flags(SimulateOptions& options) {
  auto& [pod, objective, limits] = options.workload;
  return {{"--server", text(options.server)},
          {"--trace", text(options.trace)},
          {"--scale", number(options.scale, 1e-6, 1e6)},
          {"--spread", whole_seconds(options.spread, 3600)},
          {"--policy", policy(options.policy)},
          {"--report", text(options.report)},
          {"--series", text(options.series)},
          {"--seed", number(options.seed, std::uint64_t{0}, std::uint64_t{1'000'000'000'000})},
          {"--concurrency", number(pod.concurrency, 0.001, 1e6)},
          {"--service-time", seconds(pod.service_seconds)},
          {"--start-up", whole_seconds(pod.start_seconds, simulation::kMaxStartSeconds)},
          {"--stop", whole_seconds(pod.stop_seconds, 3600)},
          {"--cpu", number(pod.cpu_percent, 0.0, 1e5)},
          {"--objective", seconds(objective.seconds)},
          {"--quantile", number(objective.share, 0.0, 1.0)},
          {"--timeout", seconds(objective.timeout_seconds)},
          {"--fleet", number(options.fleet, 1, 1'000'000)},
          {"--hours", number(options.hours, 1, 24 * 7)}};
}

std::map<std::string, bool*> switches(SimulateOptions& options) {
  return {{"--compare", &options.compare},
          {"--json", &options.json},
          {"--help", &options.help},
          {"-h", &options.help}};
}

Result<void> check(const SimulateOptions& options) {
  if (auto good = simulation::check(options.workload); !good) return good;
  if (options.fleet > 0) {
    if (options.compare) return invalid("--compare is for one trace, and --fleet has none");
    if (!options.report.empty()) return invalid("--report is for one trace, and --fleet has none");
    if (!options.series.empty()) return invalid("--series is for one trace, and --fleet has none");
    if (simulation::find_contestant(options.policy)->side == simulation::Side::Bound)
      return invalid("--policy " + options.policy + " needs to know the trace: not with --fleet");
  }
  return {};
}

}  // namespace

Result<SimulateOptions> parse_simulate_options(const std::vector<std::string>& arguments) {
  SimulateOptions options;
  const auto with_value = flags(options);
  const auto without = switches(options);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (const auto found = without.find(argument); found != without.end()) {
      *found->second = true;
      continue;
    }
    const auto equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const auto flag = with_value.find(name);
    if (flag == with_value.end()) return invalid("unknown flag " + name + "; see --help");
    if (equals == std::string::npos && i + 1 == arguments.size())
      return invalid(name + " needs a value");
    const std::string value =
        equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
    if (auto set = flag->second(value); !set)
      return fail(set.error().kind, name + " " + set.error().message);
  }
  if (options.help) return options;
  if (auto good = check(options); !good) return fail(good.error());
  return options;
}

}  // namespace mcpfleet::tools
