#include "operator/leading.h"

#include "log/log.h"

namespace mcpfleet::op {
namespace {

constexpr Backoff kRetries{std::chrono::milliseconds(50), std::chrono::seconds(30)};

}  // namespace

void Changes::add(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (queue_ != nullptr) queue_->add(key);
}

void Changes::go_to(kube::WorkQueue* queue) {
  std::lock_guard lock(mutex_);
  queue_ = queue;
}

Leading::Leading(const Parts& parts, SessionKeys keys, ReconcilerOptions options, int workers)
    : parts_(parts),
      queue_(parts.clock, kRetries, &parts.telemetry.work()),
      events_(kube::start_event_recorder(parts.client, parts.clock, desired::kFieldManager)),
      reconciler_({parts.client, parts.world, scalers_, sessions_, *events_, parts.telemetry,
                   parts.clock, &parts.surroundings},
                  std::move(keys), std::move(options)),
      controller_(
          queue_, parts.clock, workers,
          [this](const std::string& key) { return reconciler_.reconcile(key); },
          [this](const std::string& key, const Result<kube::Next>& result, Duration took) {
            reconciled(key, result, took);
          }),
      loop_(parts.client, parts.world, parts.surroundings, scalers_, sessions_, parts.telemetry,
            parts.clock, [this](const std::string& key) { queue_.add(key); }) {
  // What changes from now on comes by itself; what is there already, by hand.
  parts_.changes.go_to(&queue_);
  for (const auto& server : parts_.world.servers.all()) queue_.add(fleet::key(server->server));
  if (const auto lease = parts_.leadership.lease()) {
    events_->record(*lease, kube::EventType::Normal, "LeaderElection",
                    parts_.leadership.identity() + " became leader");
  }
}

Leading::~Leading() { parts_.changes.go_to(nullptr); }

void Leading::reconciled(const std::string& key, const Result<kube::Next>& result, Duration took) {
  parts_.telemetry.reconciled(result.has_value(), took);
  if (result) return;
  // Somebody else was quicker, and the next try decides anew; or another replica leads now.
  const bool usual = result.error().kind == ErrorKind::Conflict || parts_.leadership.term() == 0;
  (usual ? log::debug : log::warn)("will try again",
                                   {{"server", key}, {"error", result.error().message}});
}

}  // namespace mcpfleet::op
