#include "gateway/gateway_flags.h"

#include <algorithm>

#include "fleet/decode.h"
#include "gateway/flags.h"

namespace mcpfleet::gateway {

const std::string_view kGatewayHelp =
    R"(mcp-gateway: one address for many MCPServers and all of their pods.

  mcp-gateway --gateway NAMESPACE/NAME [FLAG...]
  mcp-gateway [--watch-namespaces A,B] [FLAG...]
  mcp-gateway --routes FILE [FLAG...]
      Passes MCP at /{namespace}/{name}/mcp on to the pods of that MCPServer, and keeps sessions on
      their pods. Any number of replicas with the same keys may serve side by side.
        --gateway NAMESPACE/NAME       the MCPGateway whose servers and settings count
        --watch-namespaces A,B         without --gateway: only MCPServers of these namespaces
        --routes FILE                  without Kubernetes: MCPServers, EndpointSlices, and an
                                       MCPGateway, as YAML or JSON; read again when it changes
        --kubeconfig FILE              default: the pod's service account, then $KUBECONFIG
        --context NAME                 of the kubeconfig; default: its current-context
        --listen ADDRESS:PORT          for MCP (0.0.0.0:19080)
        --metrics-listen ADDRESS:PORT  for /metrics, /metrics.json, /health, /live and /ready
                                       (0.0.0.0:19090)
        --tls-cert-file FILE           PEM; with --tls-key-file: MCP by TLS; both are read again
        --tls-key-file FILE            when they change
        --session-key-file FILE        32 bytes that seal session ids, the same in all replicas;
                                       files "previous" and "next" beside it open them, too
                                       (/etc/mcpfleet/session/key)
        --drain-timeout DURATION       how long a drain may take that SIGTERM starts (30s)
        --drain-grace DURATION         how long everything is still accepted after its start (5s)
        --access-log-sample N          one call in N is logged; 1: each, 0: none (100); an
                                       MCPGateway says so itself
        --log-format text|json         (text)
        --log-level WORD               debug, info, warn or error (info)
      Environment: POD_NAME, its name in logs and /health.

  mcp-gateway --help | --version
)";

namespace {

using flags::Flags;
using flags::into;
using flags::invalid;

constexpr std::uint64_t kMaxSample = 1'000'000'000;

flags::SetFlag into_gateway(std::optional<kube::Key>& target) {
  return [&target](const std::string& value) -> Result<void> {
    const auto slash = value.find('/');
    if (slash == 0 || slash == value.npos || slash + 1 == value.size() ||
        value.find('/', slash + 1) != value.npos)
      return invalid("\"" + value + "\" is not NAMESPACE/NAME");
    target = kube::split_key(value);
    return {};
  };
}

flags::SetFlag into_namespaces(std::vector<std::string>& target) {
  return [&target](const std::string& value) -> Result<void> {
    auto namespaces = kube::parse_namespaces(value);
    if (!namespaces) return fail(namespaces.error());
    target = std::move(*namespaces);
    return {};
  };
}

Result<void> check(const ServeCommand& serve) {
  const bool has_namespaces = !serve.routes.namespaces.empty();
  if (!serve.routes_file.empty() && (serve.routes.gateway || has_namespaces))
    return invalid("--routes stands alone, without --gateway and --watch-namespaces");
  if (serve.routes.gateway && has_namespaces)
    return invalid("--watch-namespaces is not for --gateway: the MCPGateway says which");
  if (serve.options.tls_certificate_file.empty() != serve.options.tls_key_file.empty())
    return invalid("--tls-cert-file and --tls-key-file belong together");
  return {};
}

Flags flags_of(ServeCommand& serve) {
  auto& options = serve.options;
  Flags known;
  known.with_value = {
      {"--gateway", into_gateway(serve.routes.gateway)},
      {"--watch-namespaces", into_namespaces(serve.routes.namespaces)},
      {"--routes", into(serve.routes_file)},
      {"--kubeconfig", into(serve.kubeconfig)},
      {"--context", into(serve.context)},
      {"--listen", into(options.listen)},
      {"--metrics-listen", into(options.metrics_listen)},
      {"--tls-cert-file", into(options.tls_certificate_file)},
      {"--tls-key-file", into(options.tls_key_file)},
      {"--session-key-file", into(options.session_key_file)},
      {"--drain-timeout", into(options.drain_timeout)},
      {"--drain-grace", into(options.drain_grace)},
      {"--access-log-sample", into(options.access_log_sample, kMaxSample)},
      {"--log-format", into(serve.log_format)},
      {"--log-level", into(serve.log_level)},
  };
  return known;
}

}  // namespace

Result<Command> parse_gateway_command(const std::vector<std::string>& arguments,
                                      const Environment& env) {
  if (std::ranges::find(arguments, "--help") != arguments.end()) return HelpCommand{};
  if (!arguments.empty() && arguments.front() == "--version") return VersionCommand{};
  ServeCommand serve;
  serve.options.listen = {"0.0.0.0", fleet::kMcpPort};
  serve.options.metrics_listen = {"0.0.0.0", fleet::kMetricsPort};
  serve.options.session_key_file = "/etc/mcpfleet/session/key";
  serve.options.handle_signals = true;
  serve.options.name = env("POD_NAME").value_or("mcp-gateway");
  if (auto read = flags::read(arguments, 0, flags_of(serve)); !read) return fail(read.error());
  if (auto checked = check(serve); !checked) return fail(checked.error());
  return serve;
}

}  // namespace mcpfleet::gateway
