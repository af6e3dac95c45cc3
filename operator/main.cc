// mcp-operator: wires the parts together and runs until SIGTERM or SIGINT.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>

#include "base/backoff.h"
#include "http/server.h"
#include "log/log.h"
#include "operator/capabilities.h"
#include "operator/discovery.h"
#include "operator/heap.h"
#include "operator/leadership.h"
#include "operator/leading.h"
#include "operator/options.h"
#include "operator/session_keys.h"
#include "operator/signals.h"
#include "operator/surroundings.h"
#include "operator/telemetry.h"
#include "operator/world.h"

namespace mcpfleet::op {
namespace {

using std::chrono::milliseconds;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

http::Handler health_handler(const World& world, const Telemetry& telemetry) {
  return [&world, &telemetry](const http::Request& request, const http::Respond& respond) {
    const auto path = request.target.substr(0, request.target.find('?'));
    if (path == "/metrics") {
      respond(http::text_response(200, telemetry.text(), "text/plain; version=0.0.4"));
    } else if (path == "/healthz") {
      respond(http::text_response(200, "ok\n"));
    } else if (path == "/readyz") {
      const bool ready = world.synced();
      respond(http::text_response(
          ready ? 200 : 503, ready ? "ok\n" : "waiting for the API server\n" + world.errors()));
    } else {
      respond(http::text_response(404, "not found; there are /metrics, /healthz and /readyz\n"));
    }
  };
}

// Tries until it succeeds: nothing where a signal came before, or `over` holds.
template <typename Try>
auto until_done(const Signals& signals, const std::function<bool()>& over, const char* what,
                const Try& attempt) -> std::optional<typename decltype(attempt())::value_type> {
  const Backoff backoff{milliseconds(200), std::chrono::seconds(5)};
  for (int failures = 1;; ++failures) {
    auto result = attempt();
    if (result) return std::move(*result);
    log::warn(what, {{"error", result.error().message}});
    const auto delay = std::chrono::duration_cast<milliseconds>(backoff.delay(failures));
    if (signals.wait(delay, over)) return std::nullopt;
  }
}

// With one API server, until a signal comes.
class Program {
 public:
  Program(const Options& options, kube::Client& client, Leadership& leadership,
          Telemetry& telemetry, const Signals& signals, const Clock& clock)
      : options_(options),
        client_(client),
        leadership_(leadership),
        telemetry_(telemetry),
        signals_(signals),
        clock_(clock) {}

  int run() {
    auto server =
        http::Server::start({.address = options_.listen_address, .port = options_.listen_port},
                            health_handler(world_, telemetry_));
    if (!server) {
      log::error("cannot listen", {{"error", server.error().message}});
      return 1;
    }
    log::info("mcp-operator", {{"version", MCPFLEET_VERSION}, {"port", (*server)->port()}});
    const auto surroundings = Surroundings::create(
        client_, clock_, options_.watched, [this](const std::string& key) { changes_.add(key); });
    if (!surroundings) {
      log::error("cannot start", {{"error", surroundings.error().message}});
      return 1;
    }
    if (!get_in_step()) return 0;
    const Discovery discovery(client_, [this](const auto& installed) { find_kinds(installed); });
    // A replica that is not in step could not take over.
    leadership_.begin([this] { signals_.poke(); });
    while (!signals_.came()) {
      if (const auto term = leadership_.term(); term != 0) lead(term, **surroundings);
      telemetry_.set_servers(world_.servers.size());
      heap_.look(/*busy=*/false, clock_.monotonic());
      signals_.wait(milliseconds(1000), [this] { return leadership_.term() != 0; });
    }
    log::info("stopping");
    leadership_.retire();
    leadership_.release();
    return 0;
  }

 private:
  // False: a signal came before.
  bool get_in_step() {
    world_.start(client_);
    const auto tolerance = until_done(
        signals_, [] { return false; }, "cannot learn what the API server can do",
        [this] { return hpa_has_tolerance(client_); });
    if (!tolerance) return false;
    hpa_tolerance_ = *tolerance;
    const auto installed = until_done(
        signals_, [] { return false; }, "cannot learn what the API server can do",
        [this] { return installed_kinds(client_); });
    if (!installed) return false;
    for (const auto& type : kChildTypes)
      if (type.optional()) world_.watch_optional(client_, type, installed->contains(type.kind));
    while (!world_.synced()) {
      if (signals_.wait(milliseconds(20))) return false;
    }
    log::info("in step with the API server",
              {{"servers", world_.servers.size()}, {"hpa_tolerance", hpa_tolerance_}});
    return true;
  }

  void find_kinds(const std::set<ChildKind>& installed) {
    bool changed = false;
    for (const auto& type : kChildTypes) {
      const bool exists = installed.contains(type.kind);
      if (!type.optional() || !world_.watch_optional(client_, type, exists)) continue;
      changed = true;
      log::info(exists ? "a kind exists now" : "a kind exists no more", {{"kind", type.name}});
    }
    if (!changed) return;
    for (const auto& server : world_.servers.all()) changes_.add(fleet::key(server->server));
    for (const auto& gateway : world_.gateways.all()) changes_.add(fleet::key(gateway->gateway));
  }

  // Until the term is over or a signal came.
  void lead(std::uint64_t term, Surroundings& surroundings) {
    const auto over = [this, term] { return leadership_.term() != term; };
    auto keys = until_done(signals_, over, "cannot get the session master key",
                           [this] { return SessionKeys::load(client_, options_.namespace_); });
    if (!keys) return;
    const Leading leading(
        {client_, world_, surroundings, changes_, telemetry_, leadership_, clock_}, *keys,
        {options_.sidecar_image, options_.sidecar_pull_policy, hpa_tolerance_,
         options_.keep_sidecar},
        options_.gateway, options_.workers);
    telemetry_.set_leader(true);
    while (!signals_.wait(milliseconds(1000), over)) {
      heap_.look(leading.queue_depth() != 0, clock_.monotonic());
      telemetry_.set_servers(world_.servers.size());
    }
    telemetry_.set_leader(false);
    // What is under way ends, and nothing begins: the lease can then be released.
    if (signals_.came()) leadership_.retire();
  }

  // Constant after construction, or safe by themselves.
  const Options& options_;
  kube::Client& client_;
  Leadership& leadership_;
  Telemetry& telemetry_;
  const Signals& signals_;
  const Clock& clock_;
  // Used by run() only.
  bool hpa_tolerance_ = false;
  HeapTrimmer heap_;
  // In sync on standby, too.
  Changes changes_;
  World world_{[this](const std::string& key) { changes_.add(key); }, options_.watched};
};

Result<int> operate(const Options& options, Telemetry& telemetry, const Signals& signals) {
  const SystemClock clock;
  auto config = kube::load_config(options.kubeconfig, options.context);
  if (!config) return fail(config.error());
  kube::ClientOptions client_options{.user_agent = "mcp-operator/" MCPFLEET_VERSION,
                                     .observer = [&telemetry](std::string_view verb, int status) {
                                       telemetry.requested(verb, status);
                                     }};
  auto leadership = Leadership::create(options.leadership, *config, client_options, clock);
  if (!leadership) return fail(leadership.error());
  client_options.write_guard = leadership->get();
  client_options.qps = options.kube_api_qps;
  client_options.burst = options.kube_api_burst;
  auto client = kube::Client::create(*config, std::move(client_options));
  if (!client) return fail(client.error());
  return Program(options, **client, **leadership, telemetry, signals, clock).run();
}

int run(const std::vector<std::string>& arguments) {
  auto options = parse_options(arguments, environment);
  if (!options) {
    std::fprintf(stderr, "mcp-operator: %s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  log::configure(options->log_format, options->log_level);
  use_little_heap();
  const Signals signals;
  Telemetry telemetry;
  const auto code = operate(*options, telemetry, signals);
  if (!code) log::error("cannot start", {{"error", code.error().message}});
  return code.value_or(1);
}

}  // namespace
}  // namespace mcpfleet::op

int main(int argc, char** argv) { return mcpfleet::op::run({argv + 1, argv + argc}); }
