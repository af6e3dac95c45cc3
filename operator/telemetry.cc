#include "operator/telemetry.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace mcpfleet::op {

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
};

Telemetry::Telemetry() : families_(std::make_unique<Families>()) {}
Telemetry::~Telemetry() = default;

void Telemetry::reconciled(bool ok, Duration took) {
  (ok ? families_->reconciles_ok : families_->reconciles_failed).Increment();
  families_->duration.Observe(std::chrono::duration<double>(took).count());
}

void Telemetry::requested(std::string_view verb, int status) {
  families_->requests.Add({{"verb", std::string(verb)}, {"code", std::to_string(status)}})
      .Increment();
}

void Telemetry::decided(const std::string& rule, const std::string& reason) {
  families_->decisions.Add({{"rule", rule}, {"reason", reason}}).Increment();
}

void Telemetry::drift_corrected() { families_->drifts.Increment(); }

void Telemetry::set_queue_depth(std::size_t keys) {
  families_->queue_depth.Set(static_cast<double>(keys));
}

void Telemetry::set_servers(std::size_t servers) {
  families_->servers.Set(static_cast<double>(servers));
}

std::string Telemetry::text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace mcpfleet::op
