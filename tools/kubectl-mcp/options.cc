#include "tools/kubectl-mcp/options.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/time_text.h"

namespace mcpfleet::kubectl {
namespace {

constexpr const char* kUsage =
    R"(kubectl mcp shows what MCPServers do, and why.

  kubectl mcp explain NAME   how many replicas it has, what scales it, and why it did what it did
  kubectl mcp top [NAME...]  rate, latency, errors, load and replicas of MCPServers, live
  kubectl mcp version        of this plugin

"kubectl mcp COMMAND --help" tells the flags of a command.
)";

constexpr const char* kExplainUsage =
    R"(kubectl mcp explain NAME shows how many replicas an MCPServer has, what scales it with the values of
now, the last decisions with their reasons, and what is worth a look.

  -n, --namespace NS     default: the context's
  -o, --output json      for programs; default: text for people
      --context NAME     of the kubeconfig; default: its current-context
      --kubeconfig FILE  default: $KUBECONFIG, then ~/.kube/config, then a pod's service account
      --server URL       without credentials, such as http://127.0.0.1:8001 of "kubectl proxy"

NO_COLOR=1 leaves out colours, which only a terminal gets.
)";

constexpr const char* kTopUsage =
    R"(kubectl mcp top [NAME...] shows MCPServers with what their callers feel, and draws them anew each
second on a terminal. REPLICAS: ready/all, and behind an arrow what is recommended where that differs.

  -n, --namespace NS       default: the context's
  -A, --all-namespaces     those of all namespaces
      --sort COLUMN        rate, p95, inflight, sessions or name; default rate
      --interval DURATION  between two drawings, 200ms to 1h; default 1s
      --once               once; what is no terminal gets it once, too
      --context NAME       of the kubeconfig; default: its current-context
      --kubeconfig FILE    default: $KUBECONFIG, then ~/.kube/config, then a pod's service account
      --server URL         without credentials, such as http://127.0.0.1:8001 of "kubectl proxy"

NO_COLOR=1 leaves out colours, which only a terminal gets.
)";

constexpr const char* kVersionUsage = "kubectl mcp version prints the version of this plugin.\n";

// An argument of the command line taken apart.
struct Flag {
  std::string name;  // the long one, without "--"
  std::optional<std::string> value;
};

Error wrong(std::string sentence) { return {ErrorKind::Invalid, std::move(sentence)}; }

std::string_view long_name(char letter) {
  switch (letter) {
    case 'n':
      return "namespace";
    case 'o':
      return "output";
    case 'A':
      return "all-namespaces";
    case 'h':
      return "help";
    default:
      return "";
  }
}

bool takes(Command command, std::string_view flag) {
  constexpr std::array kShared{"namespace", "context", "kubeconfig", "server"};
  constexpr std::array kTop{"all-namespaces", "sort", "interval", "once"};
  if (flag == "help") return true;
  if (command != Command::Explain && command != Command::Top) return false;
  if (std::ranges::find(kShared, flag) != kShared.end()) return true;
  if (command == Command::Explain) return flag == "output";
  return std::ranges::find(kTop, flag) != kTop.end();
}

bool is_switch(std::string_view flag) {
  return flag == "help" || flag == "all-namespaces" || flag == "once";
}

// "--flag", "--flag=value", "-n", "-n=value" and "-nvalue". Absent: it is no flag.
std::optional<Flag> flag_of(const std::string& argument) {
  if (argument.size() < 2 || argument[0] != '-') return std::nullopt;
  if (argument.starts_with("--")) {
    const auto equals = argument.find('=');
    if (equals == std::string::npos) return Flag{argument.substr(2), std::nullopt};
    return Flag{argument.substr(2, equals - 2), argument.substr(equals + 1)};
  }
  Flag flag{std::string(long_name(argument[1])), std::nullopt};
  if (argument.size() > 2) flag.value = argument.substr(argument[2] == '=' ? 3 : 2);
  return flag;
}

std::optional<Error> set_top(const Flag& flag, const std::string& value, Options& options) {
  if (flag.name == "sort") {
    constexpr std::array<std::pair<const char*, Sort>, 5> kColumns{{{"rate", Sort::Rate},
                                                                    {"p95", Sort::P95},
                                                                    {"inflight", Sort::InFlight},
                                                                    {"sessions", Sort::Sessions},
                                                                    {"name", Sort::Name}}};
    for (const auto& [name, column] : kColumns) {
      if (value != name) continue;
      options.sort = column;
      return std::nullopt;
    }
    return wrong("--sort must be rate, p95, inflight, sessions or name, not \"" + value + "\"");
  }
  const auto interval = parse_duration(value);
  using std::chrono::milliseconds;
  if (!interval || *interval < milliseconds(200) || *interval > std::chrono::hours(1)) {
    return wrong("--interval must be a duration from 200ms to 1h, such as 2s, not \"" + value +
                 "\"");
  }
  options.interval = std::chrono::duration_cast<milliseconds>(*interval);
  return std::nullopt;
}

std::optional<Error> set(const Flag& flag, const std::string& value, Options& options) {
  if (value.empty()) return wrong("--" + flag.name + " must not be empty");
  if (flag.name == "namespace") {
    options.namespace_ = value;
  } else if (flag.name == "context") {
    options.context = value;
  } else if (flag.name == "kubeconfig") {
    options.kubeconfig = value;
  } else if (flag.name == "server") {
    options.server = value;
  } else if (flag.name == "output") {
    if (value != "json") return wrong("-o must be json, not \"" + value + "\"");
    options.json = true;
  } else {
    return set_top(flag, value, options);
  }
  return std::nullopt;
}

std::optional<Error> turn_on(const Flag& flag, Options& options) {
  if (flag.value && *flag.value != "true") {
    return wrong("--" + flag.name + " takes no value");
  }
  if (flag.name == "help") options.help = true;
  if (flag.name == "all-namespaces") options.all_namespaces = true;
  if (flag.name == "once") options.once = true;
  return std::nullopt;
}

Result<Options> command_of(const std::vector<std::string>& arguments) {
  Options options;
  if (arguments.empty()) return options;
  const std::string& word = arguments.front();
  if (word == "explain") {
    options.command = Command::Explain;
  } else if (word == "top") {
    options.command = Command::Top;
  } else if (word == "version") {
    options.command = Command::Version;
  } else if (word.starts_with("-") && word != "--help" && word != "-h") {
    return fail(wrong("unknown flag " + word + "; flags come after the command"));
  } else if (word != "help" && !word.starts_with("-")) {
    return fail(wrong("unknown command \"" + word + "\"; there are explain, top and version"));
  }
  return options;
}

std::optional<Error> check(const Options& options) {
  if (options.help) return std::nullopt;
  if (options.command == Command::Explain && options.names.size() != 1) {
    return wrong("explain needs the name of one MCPServer, as in: kubectl mcp explain NAME");
  }
  if (options.command == Command::Version && !options.names.empty()) {
    return wrong("version takes no argument");
  }
  if (options.all_namespaces && !options.names.empty()) {
    return wrong("names cannot be looked up in all namespaces at once: leave out -A or the names");
  }
  return std::nullopt;
}

}  // namespace

const char* usage(Command command) {
  switch (command) {
    case Command::Explain:
      return kExplainUsage;
    case Command::Top:
      return kTopUsage;
    case Command::Version:
      return kVersionUsage;
    case Command::Usage:
      break;
  }
  return kUsage;
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  auto options = command_of(arguments);
  if (!options || options->command == Command::Usage) return options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto flag = flag_of(arguments[i]);
    if (!flag) {
      options->names.push_back(arguments[i]);
      continue;
    }
    if (!takes(options->command, flag->name)) {
      const std::string given = arguments[i].substr(0, arguments[i].find('='));
      return fail(
          wrong("unknown flag " + given + "; see \"kubectl mcp " + arguments[0] + " --help\""));
    }
    std::optional<Error> error;
    if (is_switch(flag->name)) {
      error = turn_on(*flag, *options);
    } else if (flag->value) {
      error = set(*flag, *flag->value, *options);
    } else if (i + 1 == arguments.size()) {
      error = wrong(arguments[i] + " needs a value");
    } else {
      error = set(*flag, arguments[++i], *options);
    }
    if (error) return fail(*error);
  }
  if (auto error = check(*options)) return fail(*error);
  return options;
}

}  // namespace mcpfleet::kubectl
