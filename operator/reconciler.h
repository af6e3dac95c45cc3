// Brings one MCPServer to its wanted state: gather, decide, apply, tell.
//
// Deciding is in the pure parts (desired/, scaling/, plan.h, announce.h); this carries it out.
// Thread safety: reconcile() from several threads, never for the same key at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "desired/desired.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "operator/applier.h"
#include "operator/scalers.h"
#include "operator/scaling_loop.h"
#include "operator/session_keys.h"
#include "operator/status_writer.h"
#include "operator/surroundings.h"
#include "operator/telemetry.h"
#include "operator/world.h"

namespace mcpfleet::op {

struct ReconcilerOptions {
  std::string sidecar_image;
  std::string sidecar_pull_policy;
  bool hpa_tolerance = false;
  // Pods keep the sidecar that they have until something else rolls them.
  bool keep_sidecar = true;
};

class Reconciler {
 public:
  struct Parts {
    kube::Client& client;
    World& world;
    Scalers& scalers;
    const SessionCounts& sessions;
    kube::EventRecorder& events;
    Telemetry& telemetry;
    const Clock& clock;
    Surroundings* surroundings = nullptr;  // null: no server depends on anything
  };
  Reconciler(Parts parts, SessionKeys keys, ReconcilerOptions options)
      : parts_(parts),
        keys_(std::move(keys)),
        options_(std::move(options)),
        applier_({parts.client, parts.world, parts.events, parts.telemetry}),
        statuses_(parts.client, parts.clock) {}

  // Errors: what the API server refused or could not do; the caller tries again later.
  Result<kube::Next> reconcile(const std::string& key);

 private:
  struct Attempt;

  desired::Context context_of(const fleet::MCPServer& server, const Children& children,
                              const View& view) const;
  Attempt bring_about(const fleet::MCPServer& server);
  Outcome bring_about(const fleet::MCPServer& server, const View& view);
  Result<kube::Next> tell(const ServerEntry& entry, const Attempt& outcome);
  desired::Observed observe(const ServerEntry& entry, const Attempt& outcome);
  // True where the answer shows another spec than `entry`.
  Result<bool> write_status(const ServerEntry& entry, const fleet::Status& before,
                            const fleet::Status& after, const ScalingView* view);
  void announce(const fleet::MCPServer& server, const fleet::Status& before,
                const fleet::Status& after, const ScalingView* view);
  void forget(const std::string& key);

  // Constant after construction, or safe by themselves.
  const Parts parts_;
  const SessionKeys keys_;
  const ReconcilerOptions options_;
  Applier applier_;
  StatusWriter statuses_;
};

}  // namespace mcpfleet::op
