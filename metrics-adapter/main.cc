// mcp-metrics-adapter: builds the parts and lets them run until SIGTERM or SIGINT.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/server.h"
#include "kube/client.h"
#include "kube/config.h"
#include "kube/reflector.h"
#include "kube/store.h"
#include "log/log.h"
#include "metrics-adapter/api_handler.h"
#include "metrics-adapter/authenticator.h"
#include "metrics-adapter/authorizer.h"
#include "metrics-adapter/demand.h"
#include "metrics-adapter/history/history_part.h"
#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/operator_lease.h"
#include "metrics-adapter/options.h"
#include "metrics-adapter/own_metrics.h"
#include "metrics-adapter/pod_target.h"
#include "metrics-adapter/prometheus/prometheus_source.h"
#include "metrics-adapter/roster.h"
#include "metrics-adapter/scraper.h"
#include "metrics-adapter/server_record.h"
#include "metrics-adapter/serving_certificate.h"
#include "metrics-adapter/worker_pool.h"

namespace mcpfleet::adapter {
namespace {

using std::chrono::seconds;

constexpr int kServerThreads = 2;
constexpr std::size_t kWorkers = 4;
constexpr std::size_t kMaxWaiting = 1024;

void report_rejected(const Error& error) {
  log::warn("an object is left out", {{"error", error.message}});
}

Gatekeeper make_gatekeeper(Authenticator& authenticator, Authorizer& authorizer) {
  return {
      [&authenticator](const auto& request) { return authenticator.try_now(request); },
      [&authenticator](const auto& request) { return authenticator.authenticate(request); },
      [&authorizer](const auto& who, const auto& what) { return authorizer.try_now(who, what); },
      [&authorizer](const auto& who, const auto& what) { return authorizer.authorize(who, what); }};
}

SourceTerms source_terms(const Options& options) {
  return {{options.window, options.max_age, Duration{0}, options.min_samples}, options.hold};
}

// The longest that ending may take: a call to an API server that does not answer cannot be broken
// off, and there is nothing to save.
constexpr unsigned kEndSeconds = 10;

// All parts of the running program. They end in the opposite order of their members.
class Program {
 public:
  // `metrics` outlives it.
  Program(Options options, OwnMetrics& metrics, std::unique_ptr<kube::Client> client,
          std::unique_ptr<promql::PrometheusSource> prometheus)
      : options_(std::move(options)),
        metrics_(metrics),
        client_(std::move(client)),
        prometheus_(std::move(prometheus)),
        pods_(
            decode_pod, [this](const std::string&) { roster_.touch(); }, report_rejected),
        autoscalers_(
            decode_autoscaler, [this](const std::string&) { demand_.touch(); }, report_rejected),
        servers_(
            decode_server, [this](const std::string&) { roster_.touch(); }, report_rejected),
        roster_([this] { return pods_.all(); }, [this] { return servers_.all(); },
                [this] { return pods_synced() && servers_synced(); }, options_.window),
        lease_(options_.operator_lease_namespace, options_.operator_lease_name, clock_),
        source_(roster_, demand_, source_terms(options_), operator_liveness()),
        history_(options_.history, options_.scrape_interval, source_terms(options_).terms, roster_,
                 clock_, metrics_),
        authenticator_(*client_, clock_),
        authorizer_(*client_, clock_),
        keeper_(*client_, clock_,
                {options_.namespace_, options_.tls_secret, options_.service_name,
                 options_.api_services}),
        pool_(kWorkers, kMaxWaiting),
        handler_(make_gatekeeper(authenticator_, authorizer_), {source_, prometheus_.get()},
                 checks(), clock_, pool_, metrics_, history_.api()) {}

  ~Program() {
    certificate_loop_.reset();
    if (api_server_) api_server_->stop();
    if (health_server_) health_server_->stop();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  Result<void> start() {
    auto health = start_health_server();
    if (!health) return fail(health.error().context("--health-listen"));
    const auto& namespaces = options_.watch_namespaces;
    const std::string which(options_.annotated_pods ? std::string_view() : kServerLabel);
    kube::watch(*client_, {"/api/v1/pods", which, ""}, namespaces, pods_, pod_reflectors_);
    kube::watch(*client_, {"/apis/autoscaling/v2/horizontalpodautoscalers", "", ""}, namespaces,
                autoscalers_, autoscaler_reflectors_);
    kube::watch(*client_, {"/apis/mcpfleet.dev/v1alpha1/mcpservers", "", ""}, namespaces, servers_,
                server_reflectors_);
    if (!options_.operator_lease_name.empty())
      lease_reflector_ = kube::Reflector::start(*client_, lease_.collection(), lease_);
    ScraperOptions scraping;
    scraping.interval = options_.scrape_interval;
    scraping.window = options_.window;
    scraping.max_age = options_.max_age;
    scraping.max_series = options_.max_series;
    auto scraper = Scraper::start(scraping, clock_, roster_, demand_, metrics_);
    if (!scraper) return fail(scraper.error());
    scraper_ = std::move(*scraper);
    history_.start();
    running_.store(true);
    authorities_loop_.emplace([this]() -> Duration {
      static_cast<void>(authenticator_.refresh());
      return authenticator_.ready() ? seconds(30) : seconds(1);
    });
    certificate_loop_.emplace([this]() -> Duration {
      auto kept = keep_certificate();
      if (!kept && !told_certificate_) tell_no_certificate(kept.error());
      told_certificate_ = !kept;
      return kept ? seconds(60) : seconds(2);
    });
    return {};
  }

 private:
  bool pods_synced() const { return running_.load() && kube::synced(pod_reflectors_); }
  bool servers_synced() const { return running_.load() && kube::synced(server_reflectors_); }

  Liveness operator_liveness() {
    if (options_.operator_lease_name.empty()) return nullptr;
    return [this](MonotonicTime now) { return lease_.check(now); };
  }

  std::vector<Check> checks() {
    return {{"pods", [this] { return pods_synced(); }},
            {"mcpservers", [this] { return servers_synced(); }},
            {"authorities", [this] { return authenticator_.ready(); }},
            {"certificate", [this] { return serving_.load(); }},
            {"scrapes", [this] { return running_.load() && scraper_->warm(); }}};
  }

  Result<void> start_health_server() {
    http::ServerOptions server;
    server.address = options_.health_listen.address;
    server.port = options_.health_listen.port;
    auto started = http::Server::start(
        server, [this](const http::Request& request, const http::Respond& respond) {
          const auto target = parse_target(request.target);
          std::optional<http::Response> probe;
          if (target) probe = answer_probe(*target, checks());
          if (probe) return respond(*probe);
          if (!target || target->path != "/metrics")
            return respond(http::text_response(404, "not found\n"));
          respond(http::text_response(200, metrics_.exposition(),
                                      "text/plain; version=0.0.4; charset=utf-8"));
        });
    if (!started) return fail(started.error());
    health_server_ = std::move(*started);
    return {};
  }

  void tell_no_certificate(const Error& error) const {
    if (serving_.load()) {
      log::warn("cannot look after the serving certificate; the old one is still served",
                {{"error", error.message}});
    } else {
      log::error("cannot serve the metrics API", {{"error", error.message}});
    }
  }

  // The caBundle comes before the certificate that needs it: until then other replicas and this one
  // go on with the old one, which the bundle still covers.
  Result<void> keep_certificate() {
    auto certificate = keeper_.ensure();
    if (!certificate) return fail(certificate.error());
    keeper_.update_bundles(certificate->ca_pem);
    if (serving_.load() && *certificate == certificate_) return {};
    auto identity = std::make_shared<const http::TlsIdentity>(
        http::TlsIdentity{certificate->pair.certificate_pem, certificate->pair.key_pem});
    auto served = serving_.load() ? api_server_->reload(identity) : start_api_server(identity);
    if (!served) return fail(served.error());
    certificate_ = std::move(*certificate);
    serving_.store(true);
    return {};
  }

  Result<void> start_api_server(std::shared_ptr<const http::TlsIdentity> identity) {
    http::ServerOptions server;
    server.address = options_.listen.address;
    server.port = options_.listen.port;
    server.threads = kServerThreads;
    server.tls = std::move(identity);
    server.request_client_certificate = true;
    server.max_body_bytes = 64 * 1024;  // nothing that is served has a body
    auto started =
        http::Server::start(server, [this](http::Request request, http::Respond respond) {
          handler_.handle(std::move(request), std::move(respond));
        });
    if (!started) return fail(started.error().context("--listen"));
    api_server_ = std::move(*started);
    log::info("the metrics API is served",
              {{"address", options_.listen.address}, {"port", api_server_->port()}});
    return {};
  }

  const Options options_;
  const SystemClock clock_;
  OwnMetrics& metrics_;
  const std::unique_ptr<kube::Client> client_;
  const std::unique_ptr<promql::PrometheusSource> prometheus_;  // null: not asked for
  kube::Store<PodTarget> pods_;
  Demand demand_{[this] { return autoscalers_.all(); }};
  kube::Store<AutoscalerMetrics> autoscalers_;
  kube::Store<ServerRecord> servers_;
  Roster roster_;
  OperatorLease lease_;
  MetricSource source_;
  HistoryPart history_;
  Authenticator authenticator_;
  Authorizer authorizer_;
  CertificateKeeper keeper_;
  std::unique_ptr<http::Server> health_server_;
  std::unique_ptr<http::Server> api_server_;  // written by certificate_loop_ before serving_
  WorkerPool pool_;
  ApiHandler handler_;
  kube::Reflectors pod_reflectors_;
  kube::Reflectors autoscaler_reflectors_;
  kube::Reflectors server_reflectors_;
  std::unique_ptr<kube::Reflector> lease_reflector_;  // null: not asked for
  std::atomic<bool> running_{false};                  // what start() makes is there
  std::unique_ptr<Scraper> scraper_;
  std::atomic<bool> serving_{false};
  // Used by certificate_loop_ only.
  ServingCertificate certificate_;
  bool told_certificate_ = false;
  std::optional<Periodic> authorities_loop_;
  std::optional<Periodic> certificate_loop_;
};

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

Result<std::unique_ptr<kube::Client>> connect(const Options& options) {
  auto config = kube::load_config(options.kubeconfig);
  if (!config) return fail(config.error());
  return kube::Client::create(*config, {.user_agent = "mcp-metrics-adapter/" MCPFLEET_VERSION});
}

// Null where it is not asked for.
Result<std::unique_ptr<promql::PrometheusSource>> start_prometheus(const Options& options,
                                                                   kube::Client& client,
                                                                   const Clock& clock,
                                                                   OwnMetrics& metrics) {
  if (options.prometheus_url.empty()) return nullptr;
  promql::SourceOptions source;
  source.client = {options.prometheus_url, options.prometheus_ca_file,
                   options.prometheus_token_file, options.prometheus_timeout};
  source.rules_file = options.prometheus_rules;
  source.relist_interval = options.prometheus_relist_interval;
  source.max_age = options.max_age;
  return promql::PrometheusSource::start(source, client, clock, metrics.registry());
}

int run(const Options& options) {
  log::configure(options.log_format, options.log_level);
  // Before any thread starts, so that all of them leave the signals to sigwait().
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  auto client = connect(options);
  if (!client) {
    log::error("cannot start", {{"error", client.error().message}});
    return 1;
  }
  const SystemClock clock;
  OwnMetrics metrics;
  auto prometheus = start_prometheus(options, **client, clock, metrics);
  if (!prometheus) {
    log::error("cannot start", {{"error", prometheus.error().message}});
    return 1;
  }
  Program program(options, metrics, std::move(*client), std::move(*prometheus));
  auto started = program.start();
  if (!started) {
    log::error("cannot start", {{"error", started.error().message}});
    return 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  log::info("ending", {{"signal", signal}});
  std::signal(SIGALRM, [](int) { _exit(0); });
  alarm(kEndSeconds);
  return 0;
}

}  // namespace
}  // namespace mcpfleet::adapter

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (const auto& argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    std::fputs(mcpfleet::adapter::usage().c_str(), stdout);
    return 0;
  }
  const auto options = mcpfleet::adapter::parse_options(arguments, mcpfleet::adapter::environment);
  if (!options) {
    std::fprintf(stderr, "mcp-metrics-adapter: %s\n", options.error().message.c_str());
    return 2;
  }
  return mcpfleet::adapter::run(*options);
}
