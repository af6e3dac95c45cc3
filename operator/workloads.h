// The Deployments and StatefulSets of others that MCPServers scale by spec.source.workloadRef, and
// what else scales them.
//
// Only read: nothing of a workload is ever written. They carry no label of ours, so they are asked
// for by name. Thread safety: all functions from any thread; look() blocks on the API server.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "desired/observed.h"
#include "fleet/mcp_server.h"
#include "kube/client.h"

namespace mcpfleet::op {

// A HorizontalPodAutoscaler or KEDA ScaledObject, and what it scales.
struct Scaler {
  std::string kind;
  std::string name;
  std::string owner_uid;   // of its controller; empty: none
  std::string owner_kind;  // "MCPServer", or "ScaledObject" of the one that KEDA makes of it
  std::string target_kind;
  std::string target_name;
  bool operator==(const Scaler&) const = default;
};

// Of a list of such objects as the API server answers it. `kind` is that of its items. Error:
// Malformed.
Result<std::vector<Scaler>> decode_scalers(std::string_view list_json, std::string_view kind);

// Those of `scalers` that scale the workload of `server` and are not its own, as people read them:
// "ScaledObject x". Not the HorizontalPodAutoscaler that KEDA keeps for a ScaledObject.
std::vector<std::string> other_scalers(const std::vector<Scaler>& scalers,
                                       const fleet::MCPServer& server);

class Workloads {
 public:
  Workloads(kube::Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  struct Seen {
    desired::ObservedWorkload workload;
    std::vector<std::string> other_scalers;
  };
  // The workload of `server`, which must have a workload_ref, as it is now. Errors: those of the
  // API server; a workload that does not exist is none.
  Result<Seen> look(const fleet::MCPServer& server);

  struct Scaled {
    desired::ReplicaCounts counts;
    bool contested = false;  // something else scales it, too
  };
  // As it was seen last. Nothing: not yet, or it does not exist.
  std::optional<Scaled> scaled(const std::string& server_key) const;
  void forget(const std::string& server_key);

 private:
  struct Scalers {
    std::vector<Scaler> all;
    MonotonicTime until{};
  };

  Result<desired::ObservedWorkload> read(const fleet::MCPServer& server);
  Result<std::vector<Scaler>> scalers_of(const std::string& namespace_);
  Result<std::vector<Scaler>> read_scaled_objects(const std::string& namespace_);

  // Constant after construction.
  kube::Client& client_;
  const Clock& clock_;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::map<std::string, Scalers> scalers_;  // by namespace
  MonotonicTime without_keda_until_{};      // KEDA is not asked for before
  std::map<std::string, Scaled> scaled_;    // by server
};

}  // namespace mcpfleet::op
