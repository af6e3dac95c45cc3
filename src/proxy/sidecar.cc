#include "proxy/sidecar.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "http/server.h"
#include "log/log.h"
#include "metrics/exposition_writer.h"
#include "proxy/bridge_service.h"
#include "proxy/call_report.h"
#include "proxy/drain_server.h"
#include "proxy/front.h"
#include "proxy/listener.h"
#include "proxy/process_metrics.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {
namespace {

using SignalSet = asio::basic_signal_set<Executor>;

constexpr auto kProbeInterval = std::chrono::seconds(1);
constexpr Duration kSessionSweep = std::chrono::seconds(5);
constexpr int kPastSteps = 6;
constexpr Duration kProcessesEnd = std::chrono::seconds(7);  // they are killed after 5 s

std::string host_field(const http::Endpoint& upstream) {
  const bool v6 = upstream.host.find(':') != std::string::npos;
  return (v6 ? "[" + upstream.host + "]" : upstream.host) + ":" + std::to_string(upstream.port);
}

// "…?past=30" → 30 s; without it, or for what is no such number, nothing.
std::chrono::seconds past_of(std::string_view target) {
  constexpr std::string_view kPast = "?past=";
  const auto at = target.find(kPast);
  if (at == target.npos) return {};
  unsigned seconds = 0;
  const auto text = target.substr(at + kPast.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return std::min(std::chrono::seconds(seconds),
                  std::chrono::duration_cast<std::chrono::seconds>(CallStats::kPast));
}

// For a body; whatever a server called itself, it is UTF-8.
std::string text_of(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "unknown";
}

class Impl final : public Sidecar {
 public:
  explicit Impl(SidecarOptions options) : options_(std::move(options)) {}
  ~Impl() override;

  Result<void> open();
  std::uint16_t port() const override { return port_; }
  std::uint16_t metrics_port() const override { return metrics_->port(); }
  Result<void> run() override;
  void terminate() override {
    asio::post(*io_, [this] { begin_termination(); });
  }
  void stop() override { io_->stop(); }

 private:
  Result<void> open_listener();
  Result<void> open_metrics();
  Task<> start();
  Task<Result<void>> check_start();
  Task<> tick();
  Task<> probe_upstream();
  Task<> wait_signals();
  Task<> finish();
  void begin_drain(Duration timeout);
  void begin_termination();
  bool drained() const;
  bool ready() const;
  void answer(const http::Request& request, const http::Respond& respond);
  std::string metrics_text() const;
  void write_links(metrics::ExpositionWriter& out) const;
  std::string past_text(std::chrono::seconds past) const;
  nlohmann::ordered_json health() const;
  std::string health_text() const;
  std::string statistics_text() const;
  const char* transport() const {
    if (!bridge_) return "streamable-http";
    return options_.upstream ? "sse" : "stdio";
  }
  std::size_t sessions() const { return bridge_ ? bridge_->sessions() : runtime_->sessions.size(); }

  SidecarOptions options_;
  // What waits in `io_` refers to all of these, so it is destroyed before them; see ~Impl().
  std::unique_ptr<asio::io_context> io_ = std::make_unique<asio::io_context>(1);
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<BridgeService> bridge_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<SignalSet> signals_;
  std::unique_ptr<DrainServer> drain_server_;
  std::unique_ptr<http::Server> metrics_;
  std::uint16_t port_ = 0;
  MonotonicTime started_ = SystemClock().monotonic();
  bool upstream_up_ = false;
  std::string not_ready_;  // why the start check failed
  bool terminating_ = false;
  bool drained_logged_ = false;
  std::optional<Error> failure_;
};

Impl::~Impl() {
  if (metrics_) metrics_->stop();
  drain_server_.reset();
  signals_.reset();
  acceptor_.reset();
  if (bridge_) bridge_->kill_all();
  if (runtime_) runtime_->pools.clear();
  io_.reset();
}

Result<void> Impl::open() {
  auto seal = SessionSeal::from_key_file(options_.session_key_file);
  if (!seal) return fail(seal.error());
  runtime_ = std::make_unique<Runtime>(*io_, options_, std::move(*seal));
  if (options_.upstream) {
    auto upstream =
        numeric_endpoint(options_.upstream->host, options_.upstream->port, "--upstream");
    if (!upstream) return fail(upstream.error());
    runtime_->upstream = *upstream;
    runtime_->upstream_host = host_field(*options_.upstream);
  }
  if (!options_.upstream || !options_.sse_path.empty()) {
    bridge_ = std::make_unique<BridgeService>(*runtime_);
    runtime_->bridge = bridge_.get();
  }
  if (auto opened = open_listener(); !opened) return opened;
  if (auto opened = open_metrics(); !opened) return opened;
  if (options_.drain_socket.empty()) return {};
  auto drain =
      DrainServer::start(*io_, options_.drain_socket,
                         {[this](Duration timeout) { begin_drain(timeout); },
                          [this] { return drained(); }, [this] { return runtime_->exchanges; }});
  if (drain) {
    drain_server_ = std::move(*drain);
  } else {
    log::warn("no drain on request", {{"reason", drain.error().message}});
  }
  return {};
}

Result<void> Impl::open_listener() {
  auto acceptor = listen_on(*io_, options_.listen, "--listen");
  if (!acceptor) return fail(acceptor.error());
  acceptor_ = std::move(*acceptor);
  const auto local = acceptor_->local_endpoint();
  port_ = local.port();
  const bool any = local.address().is_unspecified();
  runtime_->self = {
      options_.pod_name.empty() ? host_name() : options_.pod_name,
      !options_.pod_ip.empty() ? options_.pod_ip : (any ? "127.0.0.1" : options_.listen.ip), port_};
  return {};
}

Result<void> Impl::open_metrics() {
  http::ServerOptions server;
  server.address = options_.metrics_listen.ip;
  server.port = options_.metrics_listen.port;
  auto started = http::Server::start(server, [this](http::Request request, http::Respond respond) {
    asio::post(*io_, [this, request = std::move(request), respond = std::move(respond)] {
      answer(request, respond);
    });
  });
  if (!started) return fail(started.error());
  metrics_ = std::move(*started);
  return {};
}

Result<void> Impl::run() {
  ::signal(SIGPIPE, SIG_IGN);  // a child that does not read its input is an error, not our end
  if (options_.handle_signals) {
    signals_ = std::make_unique<SignalSet>(*io_, SIGTERM, SIGINT);
    asio::co_spawn(*io_, wait_signals(), asio::detached);
  }
  asio::co_spawn(*io_, tick(), asio::detached);
  asio::co_spawn(*io_, start(), asio::detached);
  io_->run();
  if (failure_) return fail(*failure_);
  return {};
}

Task<> Impl::start() {
  if (options_.upstream) asio::co_spawn(*io_, probe_upstream(), asio::detached);
  if (bridge_) {
    auto checked = co_await check_start();
    if (!checked) {
      failure_ = checked.error();
      co_await finish();
      co_return;
    }
  }
  log::info("serving MCP", {{"port", port_},
                            {"metricsPort", metrics_->port()},
                            {"path", options_.path},
                            {"pod", runtime_->self.pod},
                            {"transport", transport()}});
  auto& runtime = *runtime_;
  Serve serve = [&runtime](ClientLink& client) { return answer_client(runtime, client); };
  co_await accept_clients(runtime, *acceptor_, std::move(serve));
}

// A command that fails does so again; a server elsewhere may only be slower to start than we are.
Task<Result<void>> Impl::check_start() {
  for (;;) {
    auto checked = co_await bridge_->check_start();
    const auto reason = checked ? std::string() : checked.error().message;
    if (!checked && reason != not_ready_)
      log::info("the MCP server is not ready", {{"reason", reason}});
    not_ready_ = reason;
    if (checked || !options_.upstream || terminating_) co_return checked;
    Timer timer(*io_);
    timer.expires_after(kProbeInterval);
    error_code ec;
    co_await timer.async_wait(caught(ec));
  }
}

Task<> Impl::tick() {
  Timer timer(*io_);
  auto sessions_swept = runtime_->now();
  for (;;) {
    timer.expires_after(kSweepInterval);
    error_code ec;
    co_await timer.async_wait(caught(ec));
    const auto now = runtime_->now();
    runtime_->sweeper.sweep(now);
    runtime_->pools.expire(now);
    if (bridge_) bridge_->tick(now);
    if (now - sessions_swept >= kSessionSweep) {
      runtime_->sessions.expire(now, options_.idle_timeout);
      sessions_swept = now;
    }
    if (drained() && !std::exchange(drained_logged_, true)) {
      log::info("drained", {{"inFlight", runtime_->exchanges}, {"sessions", sessions()}});
      if (terminating_) asio::co_spawn(*io_, finish(), asio::detached);
    }
  }
}

// Whether the server takes connections; what /ready says.
Task<> Impl::probe_upstream() {
  Timer timer(*io_);
  for (;;) {
    Socket socket(*io_);
    timer.expires_after(kProbeInterval);
    timer.async_wait([&socket](const error_code& cancelled) {
      error_code ignored;
      if (!cancelled) socket.close(ignored);
    });
    error_code ec;
    co_await socket.async_connect(runtime_->upstream, caught(ec));
    timer.cancel();
    if (upstream_up_ != !ec)
      log::info(ec ? "the MCP server takes no connections" : "the MCP server takes connections",
                {{"server", runtime_->upstream_host}});
    upstream_up_ = !ec;
    socket.close(ec);
    timer.expires_after(kProbeInterval);
    co_await timer.async_wait(caught(ec));
  }
}

Task<> Impl::wait_signals() {
  for (;;) {
    error_code ec;
    co_await signals_->async_wait(caught(ec));
    if (ec) co_return;
    if (terminating_) {
      log::warn("ending at once: a second signal came");
      io_->stop();
      co_return;
    }
    begin_termination();
  }
}

void Impl::begin_drain(Duration timeout) {
  if (!runtime_->drain.draining())
    log::info("draining", {{"inFlight", runtime_->exchanges}, {"sessions", sessions()}});
  runtime_->drain.start(runtime_->now(), timeout);
}

void Impl::begin_termination() {
  if (std::exchange(terminating_, true)) return;
  const bool before = drained_logged_;
  begin_drain(options_.drain_timeout);
  // A server that never became ready has nothing to drain.
  if (before || (bridge_ && !bridge_->start_checked()))
    asio::co_spawn(*io_, finish(), asio::detached);
}

bool Impl::drained() const { return runtime_->drain.done(runtime_->now(), runtime_->exchanges); }

// Ends the processes properly, then the loop.
Task<> Impl::finish() {
  drained_logged_ = true;
  if (bridge_) {
    bridge_->end_all("the pod ends");
    const auto until = runtime_->now() + kProcessesEnd;
    Timer timer(*io_);
    while (bridge_->links() > 0 && runtime_->now() < until) {
      timer.expires_after(std::chrono::milliseconds(20));
      error_code ec;
      co_await timer.async_wait(caught(ec));
      bridge_->tick(runtime_->now());
    }
  }
  io_->stop();
}

bool Impl::ready() const {
  if (runtime_->drain.draining()) return false;
  return (!bridge_ || bridge_->start_checked()) && (!options_.upstream || upstream_up_);
}

void Impl::answer(const http::Request& request, const http::Respond& respond) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method != "GET" && request.method != "HEAD") {
    respond(http::text_response(405, "only GET and HEAD\n"));
  } else if (path == "/metrics") {
    respond(http::text_response(200, past_text(past_of(request.target)) + metrics_text(),
                                std::string(metrics::kExpositionContentType)));
  } else if (path == "/metrics.json") {
    respond(http::text_response(200, statistics_text(), "application/json"));
  } else if (path == "/health") {
    respond(http::text_response(200, health_text(), "application/json"));
  } else if (path == "/ready") {
    const bool yes = ready();
    respond(http::text_response(yes ? 200 : 503, health_text(), "application/json"));
  } else {
    respond(http::text_response(404, "there are /metrics, /metrics.json, /health and /ready\n"));
  }
}

// The counters as they were, in some steps, each ended by a line "# EOF": so that one who begins to
// read now can tell at once what happened in the last seconds.
std::string Impl::past_text(std::chrono::seconds past) const {
  std::string text;
  const auto now = std::chrono::floor<std::chrono::seconds>(runtime_->now());
  const auto step = std::max(past / kPastSteps, std::chrono::seconds(1));
  for (auto ago = past; ago.count() > 0; ago -= std::min(step, ago)) {
    const auto then = now - ago;
    if (then < started_ || !runtime_->stats.reaches(then)) continue;
    metrics::ExpositionWriter out;
    runtime_->stats.at(then).write(out);
    out.family("mcp_snapshot_age_seconds", "How long ago these counters stood like this.",
               metrics::ExpositionWriter::Type::Gauge);
    out.sample("mcp_snapshot_age_seconds", {},
               std::chrono::duration<double>(runtime_->now() - then).count());
    write_process_metrics(out);
    text += out.text() + "# EOF\n";
  }
  return text;
}

std::string Impl::metrics_text() const {
  using Type = metrics::ExpositionWriter::Type;
  metrics::ExpositionWriter out;
  runtime_->stats.write(out);
  const auto single = [&](std::string_view name, std::string_view help, Type type, double value) {
    out.family(name, help, type);
    out.sample(name, {}, value);
  };
  single("mcp_active_sessions", "Sessions that the server of this pod holds.", Type::Gauge,
         static_cast<double>(sessions()));
  single("mcp_draining", "1 while the pod prepares to end.", Type::Gauge,
         runtime_->drain.draining() ? 1 : 0);
  single("mcp_forwarded_requests_total", "HTTP requests passed on to the pod of their session.",
         Type::Counter, static_cast<double>(runtime_->forwarded));
  if (bridge_) write_links(out);
  write_process_metrics(out);
  return out.text();
}

// What leads to a server that does not speak Streamable HTTP.
void Impl::write_links(metrics::ExpositionWriter& out) const {
  using Type = metrics::ExpositionWriter::Type;
  const bool stdio = !options_.upstream;
  const auto* const links = stdio ? "mcp_stdio_processes" : "mcp_sse_connections";
  out.family(links, stdio ? "Processes of the stdio server." : "Streams from the SSE server.",
             Type::Gauge);
  out.sample(links, {}, static_cast<double>(bridge_->links()));
  const auto* const replaced = stdio ? "mcp_stdio_replaced_total" : "mcp_sse_replaced_total";
  out.family(replaced, "Those that were ended because something was wrong.", Type::Counter);
  out.sample(replaced, {{"reason", "hung"}}, static_cast<double>(bridge_->hung()));
  if (stdio)
    out.sample(replaced, {{"reason", "memory"}}, static_cast<double>(bridge_->too_large()));
}

nlohmann::ordered_json Impl::health() const {
  const bool draining = runtime_->drain.draining();
  nlohmann::ordered_json health{{"status", draining ? "draining" : (ready() ? "ok" : "not ready")},
                                {"draining", draining},
                                {"sessions", sessions()},
                                {"inFlight", runtime_->stats.in_flight()},
                                {"transport", transport()},
                                {"server", options_.server},
                                {"pod", runtime_->self.pod}};
  if (bridge_) {
    health[options_.upstream ? "connections" : "processes"] = bridge_->links();
    health["startChecked"] = bridge_->start_checked();
    if (!not_ready_.empty()) health["reason"] = not_ready_;
  }
  if (options_.upstream) health["upstreamUp"] = upstream_up_;
  return health;
}

std::string Impl::health_text() const { return text_of(health()); }

std::string Impl::statistics_text() const {
  auto statistics = health();
  statistics["time"] = to_rfc3339(SystemClock().wall());
  statistics["forwarded"] = runtime_->forwarded;
  statistics.update(call_report(runtime_->stats));
  return text_of(statistics);
}

}  // namespace

Result<std::unique_ptr<Sidecar>> Sidecar::create(SidecarOptions options) {
  auto sidecar = std::make_unique<Impl>(std::move(options));
  if (auto opened = sidecar->open(); !opened) return fail(opened.error());
  return sidecar;
}

}  // namespace mcpfleet::proxy
