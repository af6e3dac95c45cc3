// Brings one MCPGateway to its wanted state: gather, decide, apply, tell.
//
// Deciding is in the pure parts (desired/gateway.h, plan.h, announce.h). Thread safety: reconcile()
// from several threads, never for the same key at once.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "desired/gateway_status.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "operator/applier.h"
#include "operator/session_keys.h"
#include "operator/status_writer.h"
#include "operator/telemetry.h"
#include "operator/world.h"

namespace mcpfleet::op {

struct GatewayOptions {
  std::string image;
  std::string pull_policy;
  std::string role = "mcp-gateway";  // the ClusterRole with what a gateway may do
};

class GatewayReconciler {
 public:
  struct Parts {
    kube::Client& client;
    World& world;
    kube::EventRecorder& events;
    Telemetry& telemetry;
    const Clock& clock;
  };
  GatewayReconciler(const Parts& parts, SessionKeys keys, GatewayOptions options)
      : parts_(parts),
        keys_(std::move(keys)),
        options_(std::move(options)),
        applier_({parts.client, parts.world, parts.events, parts.telemetry}),
        statuses_(parts.client, parts.clock) {}

  // Nothing where there is no MCPGateway `key`, but that what is left of one is deleted. Errors:
  // what the API server refused or could not do; the caller tries again later.
  Result<kube::Next> reconcile(const std::string& key);

 private:
  Result<void> clean_up(const std::string& key);
  desired::GatewayContext context_of(const fleet::MCPGateway& gateway) const;
  Outcome bring_about(const fleet::MCPGateway& gateway);
  std::optional<bool> tls_secret_exists(const fleet::MCPGateway& gateway);
  desired::ObservedGateway observe(const GatewayEntry& entry, const Outcome& outcome);
  Result<kube::Next> tell(const GatewayEntry& entry, const Outcome& outcome);
  // True where the answer shows another spec than `entry`.
  Result<bool> write_status(const GatewayEntry& entry, const fleet::GatewayStatus& after);

  // Constant after construction, or safe by themselves.
  const Parts parts_;
  const SessionKeys keys_;
  const GatewayOptions options_;
  Applier applier_;
  StatusWriter statuses_;
};

}  // namespace mcpfleet::op
