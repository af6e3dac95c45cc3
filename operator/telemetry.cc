#include "operator/telemetry.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

#include "kube/paths.h"

namespace mcpfleet::op {
namespace {

double in_seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// One series of a family, with the label by which controllers' queues are told apart.
template <typename Builder>
auto& of_queue(prometheus::Registry& registry, Builder builder, const char* name,
               const char* help) {
  return builder.Name(name).Help(help).Register(registry);
}
const prometheus::Labels kQueue{{"name", "mcpserver"}};
const prometheus::Histogram::BucketBoundaries kQueueTimes{1e-6, 1e-5, 1e-4, 1e-3, 1e-2,
                                                          0.1,  1,    10,   100};

}  // namespace

struct Telemetry::Families {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& reconciles =
      prometheus::BuildCounter()
          .Name("mcpfleet_operator_reconciles_total")
          .Help("Reconciles that ended, by result (ok, error).")
          .Register(registry);
  prometheus::Counter& reconciles_ok = reconciles.Add({{"result", "ok"}});
  prometheus::Counter& reconciles_failed = reconciles.Add({{"result", "error"}});
  prometheus::Histogram& duration =
      prometheus::BuildHistogram()
          .Name("mcpfleet_operator_reconcile_duration_seconds")
          .Help("How long a reconcile took.")
          .Register(registry)
          .Add({}, prometheus::Histogram::BucketBoundaries{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03,
                                                           0.1, 0.3, 1, 3, 10});
  prometheus::Gauge& queue_depth = prometheus::BuildGauge()
                                       .Name("mcpfleet_operator_queue_depth")
                                       .Help("MCPServers that wait for a worker.")
                                       .Register(registry)
                                       .Add({});
  prometheus::Gauge& servers = prometheus::BuildGauge()
                                   .Name("mcpfleet_operator_servers")
                                   .Help("MCPServers in the cluster.")
                                   .Register(registry)
                                   .Add({});
  prometheus::Gauge& leader = prometheus::BuildGauge()
                                  .Name("mcpfleet_operator_leader")
                                  .Help("1 while this replica acts, 0 while it stands by.")
                                  .Register(registry)
                                  .Add({});
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("mcpfleet_operator_api_requests_total")
          .Help("Requests to the API server, by verb and HTTP status (0: no answer).")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& decisions =
      prometheus::BuildCounter()
          .Name("mcpfleet_operator_decisions_total")
          .Help("Changes of a recommendation, by the rule's name (empty: none) and the reason.")
          .Register(registry);
  prometheus::Counter& drifts = prometheus::BuildCounter()
                                    .Name("mcpfleet_operator_drift_corrections_total")
                                    .Help("Children that somebody changed and that were put right.")
                                    .Register(registry)
                                    .Add({});

  prometheus::Family<prometheus::Gauge>& advised =
      prometheus::BuildGauge()
          .Name("mcpfleet_operator_advised_replicas")
          .Help("Replicas that were decided for an MCPServer, or would be in mode DryRun.")
          .Register(registry);
  std::map<std::string, prometheus::Gauge*> advised_by_server;  // protected by mutex

  // The series is looked up by its labels once.
  prometheus::Counter& request(std::string_view verb, int status) {
    std::lock_guard lock(mutex);
    auto found = by_verb.find(verb);
    if (found == by_verb.end()) found = by_verb.emplace(verb, decltype(found->second){}).first;
    auto& counter = found->second[status];
    if (counter == nullptr) {
      counter = &requests.Add({{"verb", found->first}, {"code", std::to_string(status)}});
    }
    return *counter;
  }
  // Protected by mutex.
  std::mutex mutex;
  std::map<std::string, std::map<int, prometheus::Counter*>, std::less<>> by_verb;
};

// Under the names that dashboards for Kubernetes controllers know.
class Telemetry::Work final : public kube::WorkObserver {
 public:
  Work(prometheus::Registry& registry, prometheus::Gauge& all_waiting)
      : all_waiting_(all_waiting),
        depth_(of_queue(registry, prometheus::BuildGauge(), "workqueue_depth",
                        "Keys that wait for a worker.")
                   .Add(kQueue)),
        in_flight_(of_queue(registry, prometheus::BuildGauge(), "workqueue_work_in_flight",
                            "Keys that workers are at.")
                       .Add(kQueue)),
        adds_(of_queue(registry, prometheus::BuildCounter(), "workqueue_adds_total",
                       "Keys that were added, also where they waited already.")
                  .Add(kQueue)),
        retries_(of_queue(registry, prometheus::BuildCounter(), "workqueue_retries_total",
                          "Keys that were added again after a failure.")
                     .Add(kQueue)),
        waits_(of_queue(registry, prometheus::BuildHistogram(), "workqueue_queue_duration_seconds",
                        "How long keys waited for a worker.")
                   .Add(kQueue, kQueueTimes)),
        works_(of_queue(registry, prometheus::BuildHistogram(), "workqueue_work_duration_seconds",
                        "How long workers were at a key.")
                   .Add(kQueue, kQueueTimes)) {}

  void added() override { adds_.Increment(); }
  void retried() override { retries_.Increment(); }
  void taken(Duration waited) override { waits_.Observe(in_seconds(waited)); }
  void finished(Duration worked) override { works_.Observe(in_seconds(worked)); }
  void load(std::size_t ready, std::size_t working) override {
    all_waiting_.Set(static_cast<double>(ready));
    depth_.Set(static_cast<double>(ready));
    in_flight_.Set(static_cast<double>(working));
  }

 private:
  prometheus::Gauge& all_waiting_;
  prometheus::Gauge& depth_;
  prometheus::Gauge& in_flight_;
  prometheus::Counter& adds_;
  prometheus::Counter& retries_;
  prometheus::Histogram& waits_;
  prometheus::Histogram& works_;
};

Telemetry::Telemetry()
    : families_(std::make_unique<Families>()),
      work_(std::make_unique<Work>(families_->registry, families_->queue_depth)) {}
Telemetry::~Telemetry() = default;

void Telemetry::reconciled(bool ok, Duration took) {
  (ok ? families_->reconciles_ok : families_->reconciles_failed).Increment();
  families_->duration.Observe(in_seconds(took));
}

void Telemetry::requested(std::string_view verb, int status) {
  families_->request(verb, status).Increment();
}

kube::WorkObserver& Telemetry::work() { return *work_; }

void Telemetry::decided(const std::string& rule, const std::string& reason) {
  families_->decisions.Add({{"rule", rule}, {"reason", reason}}).Increment();
}

void Telemetry::drift_corrected() { families_->drifts.Increment(); }

void Telemetry::set_advised(const std::string& server_key, int replicas) {
  std::lock_guard lock(families_->mutex);
  auto& gauge = families_->advised_by_server[server_key];
  if (gauge == nullptr) {
    const auto key = kube::split_key(server_key);
    gauge = &families_->advised.Add({{"namespace", key.namespace_}, {"name", key.name}});
  }
  gauge->Set(replicas);
}

void Telemetry::keep_advised(const std::set<std::string>& server_keys) {
  std::lock_guard lock(families_->mutex);
  std::erase_if(families_->advised_by_server, [&](const auto& entry) {
    if (server_keys.contains(entry.first)) return false;
    families_->advised.Remove(entry.second);
    return true;
  });
}

void Telemetry::set_servers(std::size_t servers) {
  families_->servers.Set(static_cast<double>(servers));
}

void Telemetry::set_leader(bool leads) { families_->leader.Set(leads ? 1 : 0); }

std::string Telemetry::text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace mcpfleet::op
