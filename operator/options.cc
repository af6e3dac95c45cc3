#include "operator/options.h"

#include <array>
#include <charconv>
#include <map>
#include <utility>

namespace mcpfleet::op {

const char* const kUsage =
    R"(mcp-operator runs MCPServers on Kubernetes.

  --kubeconfig FILE           default: the pod's service account, then $KUBECONFIG
  --namespace NS              its own namespace; default $POD_NAMESPACE or mcpfleet-system
  --sidecar-image REF         image of mcp-sidecar; default $MCPFLEET_SIDECAR_IMAGE
  --sidecar-pull-policy WORD  Always, IfNotPresent or Never; default: Kubernetes' own
  --listen ADDRESS:PORT       /metrics, /healthz, /readyz; default 0.0.0.0:8080
  --workers N                 MCPServers worked on at once; default 4
  --log-format text|json      default text
  --log-level WORD            debug, info, warn or error; default info

Flags are given as "--flag value" or "--flag=value".
)";

namespace {

using Values = std::map<std::string, std::string>;

constexpr std::array kFlags{"--kubeconfig",          "--namespace", "--sidecar-image",
                            "--sidecar-pull-policy", "--listen",    "--workers",
                            "--log-format",          "--log-level"};

bool known(const std::string& flag) {
  for (const char* name : kFlags) {
    if (flag == name) return true;
  }
  return false;
}

Result<Values> split(const std::vector<std::string>& arguments, bool& help) {
  Values values;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string flag = arguments[i];
    if (flag == "--help" || flag == "-h") {
      help = true;
      continue;
    }
    std::string value;
    const auto equals = flag.find('=');
    const bool inline_value = equals != std::string::npos;
    if (inline_value) {
      value = flag.substr(equals + 1);
      flag.resize(equals);
    }
    if (!known(flag)) return fail(ErrorKind::Invalid, "unknown flag " + flag + "; see --help");
    if (!inline_value) {
      if (i + 1 == arguments.size()) return fail(ErrorKind::Invalid, flag + " needs a value");
      value = arguments[++i];
    }
    values[flag] = value;
  }
  return values;
}

template <typename Integer>
Result<Integer> number(const std::string& text, Integer least, Integer most,
                       const std::string& flag) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return fail(ErrorKind::Invalid, flag + " must be a number from " + std::to_string(least) +
                                        " to " + std::to_string(most) + ", not \"" + text + "\"");
  }
  return value;
}

Result<void> set_listen(const std::string& text, Options& options) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) {
    return fail(ErrorKind::Invalid, "--listen must be ADDRESS:PORT, not \"" + text + "\"");
  }
  auto port = number<std::uint16_t>(text.substr(colon + 1), 0, 65535, "the port of --listen");
  if (!port) return fail(port.error());
  options.listen_address = text.substr(0, colon);
  options.listen_port = *port;
  return {};
}

Result<void> set(const std::string& flag, const std::string& value, Options& options) {
  if (flag == "--kubeconfig") options.kubeconfig = value;
  if (flag == "--namespace") options.namespace_ = value;
  if (flag == "--sidecar-image") options.sidecar_image = value;
  if (flag == "--sidecar-pull-policy") {
    if (value != "Always" && value != "IfNotPresent" && value != "Never" && !value.empty()) {
      return fail(
          ErrorKind::Invalid,
          "--sidecar-pull-policy must be Always, IfNotPresent or Never, not \"" + value + "\"");
    }
    options.sidecar_pull_policy = value;
  }
  if (flag == "--listen") return set_listen(value, options);
  if (flag == "--workers") {
    auto workers = number<int>(value, 1, 64, flag);
    if (!workers) return fail(workers.error());
    options.workers = *workers;
  }
  if (flag == "--log-format") {
    auto format = log::parse_format(value);
    if (!format) return fail(format.error().context(flag));
    options.log_format = *format;
  }
  if (flag == "--log-level") {
    auto level = log::parse_level(value);
    if (!level) return fail(level.error().context(flag));
    options.log_level = *level;
  }
  return {};
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const std::function<std::string(const char*)>& environment) {
  Options options;
  constexpr std::array<std::pair<const char*, const char*>, 2> kVariables{
      {{"POD_NAMESPACE", "--namespace"}, {"MCPFLEET_SIDECAR_IMAGE", "--sidecar-image"}}};
  for (const auto& [variable, flag] : kVariables) {
    const std::string value = environment(variable);
    if (!value.empty()) static_cast<void>(set(flag, value, options));
  }
  auto values = split(arguments, options.help);
  if (!values) return fail(values.error());
  for (const auto& [flag, value] : *values) {
    if (auto done = set(flag, value, options); !done) return fail(done.error());
  }
  return options;
}

}  // namespace mcpfleet::op
