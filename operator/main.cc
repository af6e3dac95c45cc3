// mcp-operator: wires the parts together and runs until SIGTERM or SIGINT.
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "http/server.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "log/log.h"
#include "operator/capabilities.h"
#include "operator/options.h"
#include "operator/reconciler.h"
#include "operator/scaling_loop.h"
#include "operator/session_keys.h"
#include "operator/telemetry.h"
#include "operator/world.h"

namespace mcpfleet::op {
namespace {

using std::chrono::milliseconds;

// A call that hangs must not delay the end; everything can be stopped at any instruction anyhow.
constexpr milliseconds kGrace{1500};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// SIGTERM and SIGINT, as something to wait for. Made before any other thread, which inherits the
// mask. Some time after a signal the process ends, whatever it is doing.
class Signals {
 public:
  Signals() : state_(std::make_shared<State>()) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::thread([state = state_, set] {
      int signal = 0;
      sigwait(&set, &signal);
      {
        std::lock_guard lock(state->mutex);
        state->came = true;
        state->changed.notify_all();
      }
      std::this_thread::sleep_for(kGrace);
      std::_Exit(0);
    }).detach();
  }

  // True when one came, at the latest within `timeout`.
  bool wait(milliseconds timeout) const {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, timeout, [this] { return state_->came; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool came = false;
  };
  const std::shared_ptr<State> state_;
};

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

// Tries until it succeeds, or a signal came: nothing.
template <typename Try>
auto until_done(const Signals& signals, const char* what, const Try& attempt)
    -> std::optional<typename decltype(attempt())::value_type> {
  const Backoff backoff{milliseconds(200), std::chrono::seconds(5)};
  for (int failures = 1;; ++failures) {
    auto result = attempt();
    if (result) return std::move(*result);
    log::warn(what, {{"error", result.error().message}});
    if (signals.wait(std::chrono::duration_cast<milliseconds>(backoff.delay(failures)))) {
      return std::nullopt;
    }
  }
}

void log_reconciled(Telemetry& telemetry, const std::string& key, const Result<kube::Next>& result,
                    Duration took) {
  telemetry.reconciled(result.has_value(), took);
  if (result) return;
  // Somebody else was quicker; the next try decides anew.
  const bool usual = result.error().kind == ErrorKind::Conflict;
  (usual ? log::debug : log::warn)("will try again",
                                   {{"server", key}, {"error", result.error().message}});
}

// Runs with one API server until a signal comes.
int operate(const Options& options, kube::Client& client, Telemetry& telemetry,
            const Signals& signals) {
  const SystemClock clock;
  kube::WorkQueue queue(clock, {milliseconds(50), std::chrono::seconds(30)});
  World world([&queue](const std::string& key) { queue.add(key); });
  auto server =
      http::Server::start({.address = options.listen_address, .port = options.listen_port},
                          health_handler(world, telemetry));
  if (!server) {
    log::error("cannot listen", {{"error", server.error().message}});
    return 1;
  }
  log::info("mcp-operator", {{"version", MCPFLEET_VERSION}, {"port", (*server)->port()}});
  world.start(client);
  auto keys = until_done(signals, "cannot get the session master key",
                         [&] { return SessionKeys::load(client, options.namespace_); });
  if (!keys) return 0;
  const auto tolerance = until_done(signals, "cannot learn what the API server can do",
                                    [&] { return hpa_has_tolerance(client); });
  if (!tolerance) return 0;
  while (!world.synced()) {
    if (signals.wait(milliseconds(20))) return 0;
  }
  log::info("in step with the API server",
            {{"servers", world.servers.size()}, {"hpa_tolerance", *tolerance}});

  const auto events = kube::start_event_recorder(client, clock, desired::kFieldManager);
  Scalers scalers;
  SessionCounts sessions;
  Reconciler reconciler({client, world, scalers, sessions, *events, telemetry, clock},
                        std::move(*keys),
                        {options.sidecar_image, options.sidecar_pull_policy, *tolerance});
  const kube::Controller controller(
      queue, clock, options.workers,
      [&](const std::string& key) { return reconciler.reconcile(key); },
      [&](const std::string& key, const Result<kube::Next>& result, Duration took) {
        log_reconciled(telemetry, key, result, took);
      });
  const ScalingLoop loop(client, world, scalers, sessions, clock,
                         [&queue](const std::string& key) { queue.add(key); });
  while (!signals.wait(milliseconds(1000))) {
    telemetry.set_queue_depth(queue.depth());
    telemetry.set_servers(world.servers.size());
  }
  log::info("stopping");
  return 0;
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
  const Signals signals;
  Telemetry telemetry;
  auto config = kube::load_config(options->kubeconfig);
  if (!config) {
    log::error("cannot start", {{"error", config.error().message}});
    return 1;
  }
  auto client = kube::Client::create(
      *config, "mcp-operator/" MCPFLEET_VERSION,
      [&telemetry](std::string_view verb, int status) { telemetry.requested(verb, status); });
  if (!client) {
    log::error("cannot start", {{"error", client.error().message}});
    return 1;
  }
  return operate(*options, **client, telemetry, signals);
}

}  // namespace
}  // namespace mcpfleet::op

int main(int argc, char** argv) { return mcpfleet::op::run({argv + 1, argv + argc}); }
