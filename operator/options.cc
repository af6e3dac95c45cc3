#include "operator/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "base/time_text.h"
#include "kube/paths.h"

namespace mcpfleet::op {

const char* const kUsage =
    R"(mcp-operator runs MCPServers and MCPGateways on Kubernetes.

  --kubeconfig FILE           default: the pod's service account, then $KUBECONFIG
  --context NAME              of the kubeconfig; default: its current-context
  --kube-api-qps N            requests to the API server a second at most; default 500
  --kube-api-burst N          and at once after a pause; default 1000
  --namespace NS              its own namespace; default $POD_NAMESPACE or mcpfleet-system
  --sidecar-image REF         image of mcp-sidecar; default $MCPFLEET_SIDECAR_IMAGE
  --sidecar-pull-policy WORD  Always, IfNotPresent or Never; default: Kubernetes' own
  --sidecar-upgrade WORD      WithNextRollout: pods keep the sidecar that they have until something
                              else rolls them; AtOnce: another --sidecar-image rolls all pods;
                              default WithNextRollout
  --gateway-image REF         image of mcp-gateway; default $MCPFLEET_GATEWAY_IMAGE
  --gateway-pull-policy WORD  as --sidecar-pull-policy
  --gateway-role NAME         the ClusterRole with what a gateway may do; default mcp-gateway
  --gateway-all-namespaces true|false
                              MCPGateways may serve all namespaces, for which this program makes
                              ClusterRoleBindings; default false
  --watch-namespaces A,B      only MCPServers in these namespaces; default: all of the cluster
  --watch-secrets true|false  Secrets are watched: a session key that was deleted comes back, and a
                              change of one that an MCPServer refers to rolls its pods; needs the
                              right to read them; default false
  --listen ADDRESS:PORT       /metrics, /healthz, /readyz; default 0.0.0.0:8080
  --workers N                 MCPServers worked on at once; default 8
  --leader-elect true|false   only the holder of the Lease mcp-operator acts; default true
  --lease-duration DURATION   others take the Lease over once it was not renewed for so long; whole
                              seconds; default 12s
  --lease-renew-deadline DURATION
                              the holder gives up when it could not renew for so long; default 8s
  --lease-retry-period DURATION
                              between two tries to get or renew the Lease; default 1s
  --identity TEXT             of this replica; default: the host's name and a random number
  --log-format text|json      default text
  --log-level WORD            debug, info, warn or error; default info

Flags are given as "--flag value" or "--flag=value".
)";

namespace {

using Values = std::map<std::string, std::string>;

constexpr std::array kFlags{"--kubeconfig",
                            "--context",
                            "--kube-api-qps",
                            "--kube-api-burst",
                            "--namespace",
                            "--sidecar-image",
                            "--sidecar-pull-policy",
                            "--sidecar-upgrade",
                            "--gateway-image",
                            "--gateway-pull-policy",
                            "--gateway-role",
                            "--gateway-all-namespaces",
                            "--watch-namespaces",
                            "--watch-secrets",
                            "--listen",
                            "--workers",
                            "--leader-elect",
                            "--lease-duration",
                            "--lease-renew-deadline",
                            "--lease-retry-period",
                            "--identity",
                            "--log-format",
                            "--log-level"};

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

template <typename Length>
Result<void> set_length(Length& field, const std::string& value, const std::string& flag) {
  auto length = parse_duration(value);
  if (!length) return fail(length.error().kind, flag + " " + length.error().message);
  field = std::chrono::floor<Length>(*length);
  if (field != *length || field == Length(0) || field > std::chrono::hours(1)) {
    return fail(ErrorKind::Invalid, flag + " must be at most an hour and a multiple of " +
                                        format_duration(Length(1)) + ", not \"" + value + "\"");
  }
  return {};
}

Result<bool> truth(const std::string& value, const std::string& flag) {
  if (value == "true") return true;
  if (value == "false") return false;
  return fail(ErrorKind::Invalid, flag + " must be true or false, not \"" + value + "\"");
}

Result<void> set_pull_policy(const std::string& flag, const std::string& value,
                             std::string& policy) {
  if (value != "Always" && value != "IfNotPresent" && value != "Never" && !value.empty()) {
    return fail(ErrorKind::Invalid,
                flag + " must be Always, IfNotPresent or Never, not \"" + value + "\"");
  }
  policy = value;
  return {};
}

Result<void> set_gateway(const std::string& flag, const std::string& value, Options& options) {
  if (flag == "--gateway-image") options.gateway.image = value;
  if (flag == "--gateway-pull-policy") {
    return set_pull_policy(flag, value, options.gateway.pull_policy);
  }
  if (flag == "--gateway-role") options.gateway.role = value;
  if (flag == "--gateway-all-namespaces") {
    auto all = truth(value, flag);
    if (!all) return fail(all.error());
    options.watched.cluster_bindings = *all;
  }
  return {};
}

Result<void> set_watched(const std::string& flag, const std::string& value, Options& options) {
  if (flag == "--watch-namespaces") {
    auto namespaces = kube::parse_namespaces(value);
    if (!namespaces) return fail(namespaces.error().kind, flag + " " + namespaces.error().message);
    options.watched.namespaces = std::move(*namespaces);
  }
  if (flag == "--watch-secrets") {
    auto secrets = truth(value, flag);
    if (!secrets) return fail(secrets.error());
    options.watched.secrets = *secrets;
  }
  return {};
}

Result<void> set_leadership(const std::string& flag, const std::string& value,
                            LeadershipOptions& options) {
  if (flag == "--leader-elect") {
    auto elect = truth(value, flag);
    if (!elect) return fail(elect.error());
    options.elect = *elect;
  }
  if (flag == "--identity") options.identity = value;
  if (flag == "--lease-duration") return set_length(options.terms.lease_duration, value, flag);
  if (flag == "--lease-renew-deadline") {
    return set_length(options.terms.renew_deadline, value, flag);
  }
  if (flag == "--lease-retry-period") return set_length(options.terms.retry_period, value, flag);
  return {};
}

Result<Options> check(Options options) {
  options.leadership.namespace_ = options.namespace_;
  const auto& terms = options.leadership.terms;
  if (terms.renew_deadline >= terms.lease_duration) {
    return fail(ErrorKind::Invalid, "--lease-renew-deadline must be less than --lease-duration");
  }
  if (terms.renew_deadline < 2 * terms.retry_period) {
    return fail(ErrorKind::Invalid,
                "--lease-renew-deadline must be at least twice --lease-retry-period");
  }
  return options;
}

Result<void> set_api(const std::string& flag, const std::string& value, Options& options) {
  if (flag == "--kubeconfig") options.kubeconfig = value;
  if (flag == "--context") options.context = value;
  if (flag == "--kube-api-qps" || flag == "--kube-api-burst") {
    auto limit = number<int>(value, 1, 100'000, flag);
    if (!limit) return fail(limit.error());
    (flag == "--kube-api-qps" ? options.kube_api_qps : options.kube_api_burst) = *limit;
  }
  return {};
}

Result<void> set(const std::string& flag, const std::string& value, Options& options) {
  if (auto done = set_api(flag, value, options); !done) return done;
  if (flag == "--namespace") options.namespace_ = value;
  if (flag == "--sidecar-image") options.sidecar_image = value;
  if (flag == "--sidecar-pull-policy") {
    return set_pull_policy(flag, value, options.sidecar_pull_policy);
  }
  if (flag.starts_with("--gateway-")) return set_gateway(flag, value, options);
  if (flag == "--sidecar-upgrade") {
    if (value != "WithNextRollout" && value != "AtOnce") {
      return fail(ErrorKind::Invalid,
                  "--sidecar-upgrade must be WithNextRollout or AtOnce, not \"" + value + "\"");
    }
    options.keep_sidecar = value == "WithNextRollout";
  }
  if (flag.starts_with("--watch-")) return set_watched(flag, value, options);
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
  return set_leadership(flag, value, options.leadership);
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const std::function<std::string(const char*)>& environment) {
  Options options;
  constexpr std::array<std::pair<const char*, const char*>, 3> kVariables{
      {{"POD_NAMESPACE", "--namespace"},
       {"MCPFLEET_SIDECAR_IMAGE", "--sidecar-image"},
       {"MCPFLEET_GATEWAY_IMAGE", "--gateway-image"}}};
  for (const auto& [variable, flag] : kVariables) {
    const std::string value = environment(variable);
    if (!value.empty()) static_cast<void>(set(flag, value, options));
  }
  auto values = split(arguments, options.help);
  if (!values) return fail(values.error());
  for (const auto& [flag, value] : *values) {
    if (auto done = set(flag, value, options); !done) return fail(done.error());
  }
  return check(std::move(options));
}

}  // namespace mcpfleet::op
