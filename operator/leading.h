// What only the leader does: reconcile, evaluate rules, write Events.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/events.h"
#include "kube/work_queue.h"
#include "operator/gateway_reconciler.h"
#include "operator/leadership.h"
#include "operator/reconciler.h"
#include "operator/scalers.h"
#include "operator/scaling_loop.h"
#include "operator/session_keys.h"
#include "operator/surroundings.h"
#include "operator/telemetry.h"
#include "operator/world.h"

namespace mcpfleet::op {

// Where the keys of MCPServers and MCPGateways that may need work go: to the leader's queues, while
// there are any. A key goes to both: which of the two it is shows when it is worked on.
// Thread safety: all functions from any thread.
class Changes {
 public:
  void add(const std::string& key);
  // Null: nowhere. Once it returned, the queues before are not used any more.
  void go_to(kube::WorkQueue* servers, kube::WorkQueue* gateways);

 private:
  // Protected by mutex_.
  std::mutex mutex_;
  kube::WorkQueue* servers_ = nullptr;
  kube::WorkQueue* gateways_ = nullptr;
};

// Runs from construction, with all MCPServers and MCPGateways to look at anew, until destruction,
// which waits for what is under way.
class Leading {
 public:
  struct Parts {
    kube::Client& client;
    World& world;
    Surroundings& surroundings;
    Changes& changes;
    Telemetry& telemetry;
    const Leadership& leadership;
    const Clock& clock;
  };
  Leading(const Parts& parts, const SessionKeys& keys, ReconcilerOptions options,
          GatewayOptions gateway_options, int workers);
  ~Leading();
  Leading(const Leading&) = delete;
  Leading& operator=(const Leading&) = delete;

  // MCPServers that wait for a worker. Any thread.
  std::size_t queue_depth() const { return queue_.depth(); }

 private:
  void reconciled(const char* what, const std::string& key, const Result<kube::Next>& result,
                  Duration took);

  const Parts parts_;
  kube::WorkQueue queue_;
  kube::WorkQueue gateway_queue_;
  const std::unique_ptr<kube::EventRecorder> events_;
  Scalers scalers_;
  SessionCounts sessions_;
  Reconciler reconciler_;
  GatewayReconciler gateway_reconciler_;
  // Last: they use what is above.
  const kube::Controller controller_;
  const kube::Controller gateway_controller_;
  const ScalingLoop loop_;
};

}  // namespace mcpfleet::op
