// Brings one MCPServer to its wanted state: gather, decide, apply, tell.
//
// Deciding is in the pure parts (desired/, scaling/, plan.h, announce.h); this carries it out.
// Thread safety: reconcile() from several threads, never for the same key at once.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "desired/desired.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "operator/plan.h"
#include "operator/scalers.h"
#include "operator/scaling_loop.h"
#include "operator/session_keys.h"
#include "operator/telemetry.h"
#include "operator/world.h"

namespace mcpfleet::op {

struct ReconcilerOptions {
  std::string sidecar_image;
  std::string sidecar_pull_policy;
  bool hpa_tolerance = false;
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
  };
  Reconciler(Parts parts, SessionKeys keys, ReconcilerOptions options)
      : parts_(parts), keys_(std::move(keys)), options_(std::move(options)) {}

  // Errors: what the API server refused or could not do; the caller tries again later.
  Result<kube::Next> reconcile(const std::string& key);

 private:
  struct Children;  // of one server, as known now
  struct Outcome;   // of applying a plan

  Result<std::shared_ptr<const DeploymentEntry>> find_deployment(const fleet::MCPServer& server);
  Result<void> gather(const fleet::MCPServer& server, const desired::Desired& desired,
                      Children& children);
  Result<void> look_up(const desired::Object& object, Children& children);
  Outcome bring_about(const fleet::MCPServer& server);
  Outcome carry_out(const fleet::MCPServer& server, const Plan& plan);
  Result<void> write(const fleet::MCPServer& server, const Write& write);
  Result<void> write_secret(const Write& write);
  Result<void> note_written(const fleet::MCPServer& server, const Write& write,
                            const std::string& answer);
  PlanInput plan_input(const fleet::MCPServer& server, const desired::Desired& desired,
                       const Children& children);
  Result<kube::Next> tell(const ServerEntry& entry, const Outcome& outcome);
  desired::Observed observe(const ServerEntry& entry, const Outcome& outcome);
  // How long the numbers of a status have to wait for their write; 0: not at all.
  Duration wait_for_numbers(const std::string& key);
  Result<void> write_status(const ServerEntry& entry, const fleet::Status& before,
                            const fleet::Status& after, const RulesView* rules);
  void announce(const fleet::MCPServer& server, const fleet::Status& before,
                const fleet::Status& after, const RulesView* rules);
  void forget(const std::string& key);

  // Constant after construction, or safe by themselves.
  const Parts parts_;
  const SessionKeys keys_;
  const ReconcilerOptions options_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::map<std::string, Settled> settled_;     // by the object's path
  std::map<std::string, MonotonicTime> told_;  // by server key: the last write of its numbers
};

}  // namespace mcpfleet::op
