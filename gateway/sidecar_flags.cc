#include "gateway/sidecar_flags.h"

#include <algorithm>

#include "gateway/flags.h"

namespace mcpfleet::sidecar {

const std::string_view kHelp =
    R"(mcp-sidecar: stands in front of one MCP server in its pod.

  mcp-sidecar serve --upstream http://127.0.0.1:PORT [FLAG...]
  mcp-sidecar serve --sse-upstream http://127.0.0.1:PORT[/PATH] [FLAG...]
  mcp-sidecar serve [FLAG...] --stdio -- COMMAND [ARGUMENT...]
      Speaks MCP's Streamable HTTP to clients; passes it on to an HTTP server, or opens a stream of a server of the
      old HTTP+SSE transport (2024-11-05; PATH is /sse by default) or runs a process of COMMAND for each session.
      Counts and times every request.
        --listen ADDRESS:PORT          for MCP (0.0.0.0:19080)
        --metrics-listen ADDRESS:PORT  for /metrics, /metrics.json, /health and /ready
                                       (0.0.0.0:19090)
        --path PATH                    of MCP, here and, with --upstream, at the server (/mcp)
        --allowed-origins LIST         what browsers may say in Origin beside localhost, by commas; "*": anything
        --stdio-mode MODE              with --stdio: perSession, shared (all sessions use one process) or pooled
                                       (as perSession, and some processes are started beforehand) (perSession)
        --max-processes N              with --stdio: at most so many processes (100)
        --pool-size N                  with --stdio-mode pooled: processes that wait for sessions (2)
        --max-process-memory BYTES     with --stdio: a process that takes more is replaced; 0: any (0)
        --sse-mode MODE                with --sse-upstream: perSession, or shared (all sessions use one stream) (perSession)
        --max-connections N            with --sse-upstream: at most so many streams (1000)
        --hang-timeout DURATION        with --stdio and --sse-upstream: a process or stream whose server owes an answer
                                       and is silent for so long is replaced; 0s: never (300s)
        --start-timeout DURATION       with --stdio and --sse-upstream: for the server's first answer (60s)
        --idle-timeout DURATION        ends sessions that nobody used for so long (1800s)
        --drain-timeout DURATION       how long a drain may take that SIGTERM starts (30s)
        --drain-grace DURATION         how long everything is still accepted after its start (5s)
        --drain-socket FILE            where "drain" finds this process (/mcpfleet/drain.sock)
        --session-key-file FILE        32 bytes that seal session ids, the same in all pods
                                       (/etc/mcpfleet/session/key)
        --log-format text|json         (text)
      Environment: POD_NAME, POD_IP (how other pods reach this one), MCPFLEET_SERVER.

  mcp-sidecar drain [--socket FILE] [--timeout DURATION]
      Asks the running sidecar to drain, and waits until no request is in flight.

  mcp-sidecar install DESTINATION
      Copies this program to a file.

  mcp-sidecar --help | --version
)";

namespace {

using flags::Flags;
using flags::into;
using flags::invalid;
using flags::SetFlag;

using Modes = std::map<std::string_view, proxy::BridgeMode>;

SetFlag into(proxy::BridgeMode& target, Modes modes, std::string_view names) {
  return [&target, modes = std::move(modes), names](const std::string& value) -> Result<void> {
    const auto found = modes.find(value);
    if (found == modes.end()) return invalid("\"" + value + "\" is none of " + std::string(names));
    target = found->second;
    return {};
  };
}

SetFlag into_stdio_mode(proxy::BridgeMode& target) {
  using enum proxy::BridgeMode;
  return into(target, {{"perSession", PerSession}, {"shared", Shared}, {"pooled", Pooled}},
              "perSession, shared and pooled");
}

SetFlag into_sse_mode(proxy::BridgeMode& target) {
  using enum proxy::BridgeMode;
  return into(target, {{"perSession", PerSession}, {"shared", Shared}}, "perSession and shared");
}

// Where the server is said to be.
struct Upstreams {
  std::optional<http::Url> http;
  std::optional<http::Url> sse;
  std::size_t max_connections = 1000;  // to the latter
};

Result<void> settle(const Upstreams& upstreams, proxy::SidecarOptions& options) {
  const auto& [http, sse, max_connections] = upstreams;
  if ((http ? 1 : 0) + (sse ? 1 : 0) + (options.command.empty() ? 0 : 1) != 1)
    return invalid("serve needs one of --upstream, --sse-upstream and --stdio -- COMMAND");
  if (options.path.front() != '/') return invalid("--path must start with /");
  if (http) options.upstream = http->endpoint;
  if (sse) {
    options.upstream = sse->endpoint;
    options.sse_path = sse->path.size() > 1 ? sse->path : "/sse";
    options.max_links = max_connections;
  }
  return {};
}

SetFlag into_url(std::optional<http::Url>& target) {
  return [&target](const std::string& value) -> Result<void> {
    auto url = http::parse_url(value);
    if (!url) return fail(url.error());
    if (url->endpoint.tls) return invalid("only http:// is possible");
    target = std::move(*url);
    return {};
  };
}

SetFlag into_upstream(std::optional<http::Url>& target) {
  return [&target, set = into_url(target)](const std::string& value) -> Result<void> {
    if (auto done = set(value); !done) return done;
    if (target->path.size() > 1) return invalid("the path belongs into --path");
    return {};
  };
}

Result<Command> parse_serve(const std::vector<std::string>& arguments, const Environment& env) {
  ServeCommand serve;
  auto& options = serve.options;
  options.listen = {"0.0.0.0", 19080};
  options.metrics_listen = {"0.0.0.0", 19090};
  options.drain_socket = "/mcpfleet/drain.sock";
  options.session_key_file = "/etc/mcpfleet/session/key";
  options.handle_signals = true;
  options.pod_name = env("POD_NAME").value_or("");
  options.pod_ip = env("POD_IP").value_or("");
  options.server = env("MCPFLEET_SERVER").value_or("");
  Upstreams upstreams;
  Flags known;
  known.command = &options.command;
  known.with_value = {
      {"--listen", into(options.listen)},
      {"--metrics-listen", into(options.metrics_listen)},
      {"--path", into(options.path)},
      {"--upstream", into_upstream(upstreams.http)},
      {"--sse-upstream", into_url(upstreams.sse)},
      {"--sse-mode", into_sse_mode(options.bridge_mode)},
      {"--max-connections", into(upstreams.max_connections, 1, 100'000)},
      {"--idle-timeout", into(options.idle_timeout)},
      {"--start-timeout", into(options.start_timeout)},
      {"--drain-timeout", into(options.drain_timeout)},
      {"--drain-grace", into(options.drain_grace)},
      {"--drain-socket", into(options.drain_socket)},
      {"--session-key-file", into(options.session_key_file)},
      {"--max-processes", into(options.max_links, 1, 100'000)},
      {"--stdio-mode", into_stdio_mode(options.bridge_mode)},
      {"--pool-size", into(options.pool_size, 1, 10'000)},
      {"--max-process-memory", into(options.max_process_memory, UINT64_MAX / 2)},
      {"--hang-timeout", into(options.hang_timeout)},
      {"--allowed-origins", into(options.allowed_origins)},
      {"--log-format", into(serve.log_format)},
  };
  if (auto read = flags::read(arguments, 1, known); !read) return fail(read.error());
  if (auto settled = settle(upstreams, options); !settled) return fail(settled.error());
  return serve;
}

Result<Command> parse_drain(const std::vector<std::string>& arguments) {
  DrainCommand drain;
  Flags known;
  known.with_value = {{"--socket", into(drain.socket)}, {"--timeout", into(drain.timeout)}};
  if (auto read = flags::read(arguments, 1, known); !read) return fail(read.error());
  return drain;
}

Result<Command> parse_install(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  Flags known;
  known.words = &words;
  if (auto read = flags::read(arguments, 1, known); !read) return fail(read.error());
  if (words.size() != 1) return invalid("install needs one destination");
  return InstallCommand{words.front()};
}

}  // namespace

Result<Command> parse_command(const std::vector<std::string>& arguments, const Environment& env) {
  if (arguments.empty()) return invalid("say what to do: serve, drain, install, or --help");
  if (std::ranges::find(arguments.begin(), std::ranges::find(arguments, "--"), "--help") !=
      std::ranges::find(arguments, "--"))
    return HelpCommand{};
  const auto& verb = arguments.front();
  if (verb == "--version") return VersionCommand{};
  if (verb == "serve") return parse_serve(arguments, env);
  if (verb == "drain") return parse_drain(arguments);
  if (verb == "install") return parse_install(arguments);
  return invalid("unknown command \"" + verb + "\"; there are serve, drain and install");
}

}  // namespace mcpfleet::sidecar
