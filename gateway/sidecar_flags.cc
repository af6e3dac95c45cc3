#include "gateway/sidecar_flags.h"

#include <algorithm>

#include "gateway/flags.h"

namespace mcpfleet::sidecar {

const std::string_view kHelp =
    R"(mcp-sidecar: stands in front of one MCP server in its pod.

  mcp-sidecar serve --upstream http://127.0.0.1:PORT [FLAG...]
  mcp-sidecar serve [FLAG...] --stdio -- COMMAND [ARGUMENT...]
      Speaks MCP's Streamable HTTP to clients; passes it on to an HTTP server, or runs one process of
      COMMAND for each session. Counts and times every request.
        --listen ADDRESS:PORT          for MCP (0.0.0.0:19080)
        --metrics-listen ADDRESS:PORT  for /metrics, /health and /ready (0.0.0.0:19090)
        --path PATH                    of MCP, here and at the server (/mcp)
        --allowed-origins LIST         what browsers may say in Origin beside localhost, by commas; "*": anything
        --stdio-mode MODE              with --stdio: perSession, shared (all sessions use one process) or pooled
                                       (as perSession, and some processes are started beforehand) (perSession)
        --max-processes N              with --stdio: at most so many processes (100)
        --pool-size N                  with --stdio-mode pooled: processes that wait for sessions (2)
        --max-process-memory BYTES     with --stdio: a process that takes more is replaced; 0: any (0)
        --hang-timeout DURATION        with --stdio: a process that owes an answer and is silent for so long is
                                       replaced; 0s: never (300s)
        --start-timeout DURATION       with --stdio: for the first answer of COMMAND (60s)
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

SetFlag into(proxy::StdioMode& target) {
  return [&target](const std::string& value) -> Result<void> {
    static const std::map<std::string_view, proxy::StdioMode> modes{
        {"perSession", proxy::StdioMode::PerSession},
        {"shared", proxy::StdioMode::Shared},
        {"pooled", proxy::StdioMode::Pooled}};
    const auto found = modes.find(value);
    if (found == modes.end())
      return invalid("\"" + value + "\" is none of perSession, shared and pooled");
    target = found->second;
    return {};
  };
}

Result<void> check(const ServeCommand& serve) {
  const auto& options = serve.options;
  if (options.upstream.has_value() == !options.command.empty())
    return invalid("serve needs either --upstream or --stdio -- COMMAND");
  if (options.path.front() != '/') return invalid("--path must start with /");
  return {};
}

SetFlag into_upstream(std::optional<http::Endpoint>& target) {
  return [&target](const std::string& value) -> Result<void> {
    auto url = http::parse_url(value);
    if (!url) return fail(url.error());
    if (url->endpoint.tls) return invalid("only http:// is possible");
    if (!url->path.empty() && url->path != "/") return invalid("the path belongs into --path");
    target = url->endpoint;
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
  Flags known;
  known.command = &options.command;
  known.with_value = {
      {"--listen", into(options.listen)},
      {"--metrics-listen", into(options.metrics_listen)},
      {"--path", into(options.path)},
      {"--upstream", into_upstream(options.upstream)},
      {"--idle-timeout", into(options.idle_timeout)},
      {"--start-timeout", into(options.start_timeout)},
      {"--drain-timeout", into(options.drain_timeout)},
      {"--drain-grace", into(options.drain_grace)},
      {"--drain-socket", into(options.drain_socket)},
      {"--session-key-file", into(options.session_key_file)},
      {"--max-processes", into(options.max_processes, 1, 100'000)},
      {"--stdio-mode", into(options.stdio_mode)},
      {"--pool-size", into(options.pool_size, 1, 10'000)},
      {"--max-process-memory", into(options.max_process_memory, UINT64_MAX / 2)},
      {"--hang-timeout", into(options.hang_timeout)},
      {"--allowed-origins", into(options.allowed_origins)},
      {"--log-format", into(serve.log_format)},
  };
  if (auto read = flags::read(arguments, 1, known); !read) return fail(read.error());
  if (auto checked = check(serve); !checked) return fail(checked.error());
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
