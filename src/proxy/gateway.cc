#include "proxy/gateway.h"

#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <csignal>

#include "http/server.h"
#include "log/log.h"
#include "metrics/exposition_writer.h"
#include "proxy/gateway_checks.h"
#include "proxy/gateway_front.h"
#include "proxy/gateway_health.h"
#include "proxy/gateway_plane.h"
#include "proxy/gateway_report.h"
#include "proxy/listener.h"
#include "proxy/tls_files.h"

namespace mcpfleet::proxy {
namespace {

using SignalSet = asio::basic_signal_set<Executor>;

constexpr Duration kExpiry = std::chrono::seconds(5);  // of sessions; and how often files are read

class Impl final : public Gateway {
 public:
  explicit Impl(GatewayOptions options) : options_(std::move(options)) {}
  ~Impl() override;

  Result<void> open();

  std::uint16_t port() const override { return acceptor_->local_endpoint().port(); }
  std::uint16_t metrics_port() const override { return metrics_->port(); }
  void run() override;
  void terminate() override {
    post([this] { begin_drain(); });
  }
  void stop() override { io_->stop(); }

  void set_server(ServerRoute route) override {
    post([this, route = std::move(route)] { plane_->set_server(route); });
  }
  void remove_server(const routing::ServerName& name) override {
    post([this, name] { plane_->remove_server(name); });
  }
  void set_slice(const routing::ServerName& server, std::string slice,
                 std::vector<routing::Endpoint> endpoints) override {
    post([this, server, slice = std::move(slice), endpoints = std::move(endpoints)]() mutable {
      plane_->set_slice(server, slice, std::move(endpoints));
    });
  }
  void remove_slice(const routing::ServerName& server, std::string slice) override {
    post([this, server, slice = std::move(slice)] { plane_->remove_slice(server, slice); });
  }
  void set_source(SourceState state) override {
    post([this, state = std::move(state)] {
      plane_->source = state;
      health_->look_at_routes(plane_->now());
    });
  }
  void set_access_log_sample(int sample) override {
    post([this, sample] { plane_->access_log_sample = sample; });
  }

 private:
  template <typename Action>
  void post(Action action) {
    asio::post(*io_, std::move(action));
  }

  Result<void> open_metrics();
  Task<> serve();
  Task<> tick();
  Task<> wait_signals();
  void every_while(MonotonicTime now);
  void complain(std::string_view what, const Error& error);
  void reload_keys();
  void reload_certificate();
  void begin_drain();
  bool ready() const { return plane_->source.complete && !plane_->drain.draining(); }
  void answer(const http::Request& request, const http::Respond& respond) const;

  GatewayOptions options_;
  // What waits in `io_` refers to all of these, so it is destroyed before them; see ~Impl().
  std::unique_ptr<asio::io_context> io_ = std::make_unique<asio::io_context>(1);
  std::unique_ptr<GatewayPlane> plane_;
  std::unique_ptr<GatewayHealth> health_;
  std::unique_ptr<TlsFiles> tls_;  // null: plain HTTP
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<SignalSet> signals_;
  std::unique_ptr<http::Server> metrics_;
  std::string complaint_;  // the last one
};

Impl::~Impl() {
  if (metrics_) metrics_->stop();
  signals_.reset();
  acceptor_.reset();
  if (plane_) plane_->close_connections();
  io_.reset();
}

Result<void> Impl::open() {
  auto keys = SessionKeys::load(options_.session_key_file);
  if (!keys) return fail(keys.error());
  plane_ = std::make_unique<GatewayPlane>(*io_, options_, std::move(*keys));
  health_ = std::make_unique<GatewayHealth>(*plane_);
  if (!options_.tls_certificate_file.empty()) {
    auto files = TlsFiles::load(options_.tls_certificate_file, options_.tls_key_file);
    if (!files) return fail(files.error());
    tls_ = std::make_unique<TlsFiles>(std::move(*files));
    plane_->tls = tls_->context();
  }
  auto acceptor = listen_on(*io_, options_.listen, "--listen");
  if (!acceptor) return fail(acceptor.error());
  acceptor_ = std::move(*acceptor);
  return open_metrics();
}

Result<void> Impl::open_metrics() {
  http::ServerOptions server;
  server.address = options_.metrics_listen.ip;
  server.port = options_.metrics_listen.port;
  auto started = http::Server::start(server, [this](http::Request request, http::Respond respond) {
    post([this, request = std::move(request), respond = std::move(respond)] {
      answer(request, respond);
    });
  });
  if (!started) return fail(started.error());
  metrics_ = std::move(*started);
  return {};
}

void Impl::run() {
  if (options_.handle_signals) {
    signals_ = std::make_unique<SignalSet>(*io_, SIGTERM, SIGINT);
    asio::co_spawn(*io_, wait_signals(), asio::detached);
  }
  asio::co_spawn(*io_, tick(), asio::detached);
  asio::co_spawn(*io_, serve(), asio::detached);
  log::info("serving MCP", {{"port", port()}, {"metricsPort", metrics_port()}});
  io_->run();
}

Task<> Impl::serve() {
  auto& plane = *plane_;
  Serve serve = [&plane](ClientLink& client) { return answer_client(plane, client); };
  co_await accept_clients(plane, *acceptor_, std::move(serve));
}

Task<> Impl::tick() {
  Timer timer(*io_);
  auto last = plane_->now();
  for (;;) {
    timer.expires_after(kSweepInterval);
    error_code ec;
    co_await timer.async_wait(caught(ec));
    const auto now = plane_->now();
    plane_->sweeper.sweep(now);
    if (!plane_->drain.draining()) plane_->keep_connections();
    start_checks(*plane_);
    health_->look(now);
    if (now - last >= kExpiry) {
      every_while(now);
      last = now;
    }
    if (plane_->drain.done(now, plane_->exchanges)) {
      log::info("drained", {{"inFlight", plane_->exchanges}});
      io_->stop();
      co_return;
    }
  }
}

void Impl::every_while(MonotonicTime now) {
  for (const auto& [key, server] : plane_->servers) server->routing->sessions.expire(now);
  reload_keys();
  if (tls_ != nullptr) reload_certificate();
}

// Once for each new trouble, not once a try.
void Impl::complain(std::string_view what, const Error& error) {
  if (std::exchange(complaint_, error.message) != error.message)
    log::warn(what, {{"reason", error.message}});
}

void Impl::reload_keys() {
  const auto changed = plane_->keys.reload();
  if (!changed) {
    complain("session keys stay as they are", changed.error());
  } else if (*changed) {
    log::info("session keys changed", {{"keys", plane_->keys.size()}});
  }
}

void Impl::reload_certificate() {
  const auto changed = tls_->reload();
  if (!changed) {
    complain("the certificate stays as it is", changed.error());
  } else if (*changed) {
    plane_->tls = tls_->context();
    log::info("certificate changed", {{"file", options_.tls_certificate_file}});
  }
}

Task<> Impl::wait_signals() {
  for (;;) {
    error_code ec;
    co_await signals_->async_wait(caught(ec));
    if (ec) co_return;
    if (plane_->drain.draining()) {
      log::warn("ending at once: a second signal came");
      io_->stop();
      co_return;
    }
    begin_drain();
  }
}

void Impl::begin_drain() {
  if (!plane_->drain.draining()) log::info("draining", {{"inFlight", plane_->exchanges}});
  plane_->drain.start(plane_->now(), options_.drain_timeout);
}

void Impl::answer(const http::Request& request, const http::Respond& respond) const {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method != "GET" && request.method != "HEAD") {
    respond(http::text_response(405, "only GET and HEAD\n"));
  } else if (path == "/metrics") {
    respond(http::text_response(200, metrics_text(*plane_),
                                std::string(metrics::kExpositionContentType)));
  } else if (path == "/metrics.json") {
    respond(http::text_response(200, statistics_text(*plane_), "application/json"));
  } else if (path == "/health") {
    const auto [healthy, text] = health_->report(plane_->now());
    respond(http::text_response(healthy ? 200 : 503, text, "application/json"));
  } else if (path == "/live") {
    respond(http::text_response(200, "ok\n"));
  } else if (path == "/ready") {
    respond(http::text_response(ready() ? 200 : 503, plane_->drain.draining() ? "draining\n"
                                                     : plane_->source.complete
                                                         ? "ok\n"
                                                         : "the servers are not known yet\n"));
  } else {
    respond(
        http::text_response(404, "there are /metrics, /metrics.json, /health, /live and /ready\n"));
  }
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::create(GatewayOptions options) {
  auto gateway = std::make_unique<Impl>(std::move(options));
  if (auto opened = gateway->open(); !opened) return fail(opened.error());
  return gateway;
}

}  // namespace mcpfleet::proxy
