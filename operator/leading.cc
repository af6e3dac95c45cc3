#include "operator/leading.h"

#include "log/log.h"

namespace mcpfleet::op {
namespace {

constexpr Backoff kRetries{std::chrono::milliseconds(50), std::chrono::seconds(30)};
// There are few gateways.
constexpr int kGatewayWorkers = 2;

}  // namespace

void Changes::add(const std::string& key) {
  std::lock_guard lock(mutex_);
  for (auto* queue : {servers_, gateways_})
    if (queue != nullptr) queue->add(key);
}

void Changes::go_to(kube::WorkQueue* servers, kube::WorkQueue* gateways) {
  std::lock_guard lock(mutex_);
  servers_ = servers;
  gateways_ = gateways;
}

Leading::Leading(const Parts& parts, const SessionKeys& keys, ReconcilerOptions options,
                 GatewayOptions gateway_options, int workers)
    : parts_(parts),
      queue_(parts.clock, kRetries, &parts.telemetry.work()),
      gateway_queue_(parts.clock, kRetries),
      events_(kube::start_event_recorder(parts.client, parts.clock, desired::kFieldManager)),
      reconciler_({parts.client, parts.world, scalers_, sessions_, *events_, parts.telemetry,
                   parts.clock, &parts.surroundings},
                  keys, std::move(options)),
      gateway_reconciler_({parts.client, parts.world, *events_, parts.telemetry, parts.clock}, keys,
                          std::move(gateway_options)),
      controller_(
          queue_, parts.clock, workers,
          [this](const std::string& key) { return reconciler_.reconcile(key); },
          [this](const std::string& key, const Result<kube::Next>& result, Duration took) {
            reconciled("server", key, result, took);
          }),
      gateway_controller_(
          gateway_queue_, parts.clock, kGatewayWorkers,
          [this](const std::string& key) { return gateway_reconciler_.reconcile(key); },
          [this](const std::string& key, const Result<kube::Next>& result, Duration took) {
            // The keys of all MCPServers come here, too.
            if (!result || parts_.world.gateways.get(key) != nullptr)
              reconciled("gateway", key, result, took);
          }),
      loop_(parts.client, parts.world, parts.surroundings, scalers_, sessions_, parts.telemetry,
            parts.clock, [this](const std::string& key) { queue_.add(key); }) {
  // What changes from now on comes by itself; what is there already, by hand.
  parts_.changes.go_to(&queue_, &gateway_queue_);
  for (const auto& server : parts_.world.servers.all()) queue_.add(fleet::key(server->server));
  for (const auto& gateway : parts_.world.gateways.all())
    gateway_queue_.add(fleet::key(gateway->gateway));
  for (const auto& gateway : parts_.world.bound_gateways()) gateway_queue_.add(gateway);
  if (const auto lease = parts_.leadership.lease()) {
    events_->record(*lease, kube::EventType::Normal, "LeaderElection",
                    parts_.leadership.identity() + " became leader");
  }
}

Leading::~Leading() { parts_.changes.go_to(nullptr, nullptr); }

void Leading::reconciled(const char* what, const std::string& key, const Result<kube::Next>& result,
                         Duration took) {
  parts_.telemetry.reconciled(result.has_value(), took);
  if (result) return;
  // Somebody else was quicker, and the next try decides anew; or another replica leads now.
  const bool usual = result.error().kind == ErrorKind::Conflict || parts_.leadership.term() == 0;
  (usual ? log::debug : log::warn)("will try again",
                                   {{what, key}, {"error", result.error().message}});
}

}  // namespace mcpfleet::op
