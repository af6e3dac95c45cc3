// What the operator knows of the cluster: typed copies of the MCPServers, the MCPGateways and their
// children,
// kept up to date by watches.
//
// Children are watched by label, never all of the cluster; of each only what decisions need is
// kept. Thread safety: all functions from any thread, but start() once.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/mcp_gateway.h"
#include "fleet/mcp_server.h"
#include "kube/client.h"
#include "kube/reflector.h"
#include "kube/store.h"
#include "operator/child.h"
#include "operator/pod_index.h"

namespace mcpfleet::op {

// An MCPServer as stored; one that cannot be decoded has its identity and the reason.
struct ServerEntry {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  fleet::MCPServer server;
  std::optional<Error> invalid;
};
Result<ServerEntry> decode_server(std::string_view json);

// The same of an MCPGateway.
struct GatewayEntry {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  fleet::MCPGateway gateway;
  std::optional<Error> invalid;
};
Result<GatewayEntry> decode_gateway_entry(std::string_view json);

struct WorldOptions {
  std::vector<std::string> namespaces;  // watched; empty: all of the cluster
  // Our own Secrets are watched, by their metadata, and so are those that servers refer to.
  bool secrets = false;
  // MCPGateways may serve all namespaces: their ClusterRoleBindings are watched.
  bool cluster_bindings = false;
};

class World {
 public:
  // `changed` gets the key of each MCPServer and MCPGateway that may need work.
  explicit World(std::function<void(const std::string& key)> changed, WorldOptions options = {});

  void start(kube::Client& client);
  // All collections are known.
  bool synced() const;
  // The errors of the watches that are interrupted now, a line each; empty when all is well.
  std::string errors() const;

  // Whether children of that kind are watched.
  bool watches(ChildKind kind) const;
  // Children of an optional kind, of which start() watches none. True where it is new that it
  // exists, or does not.
  bool watch_optional(kube::Client& client, const ChildType& type, bool exists);

  // nullptr: none is known.
  std::shared_ptr<const Child> child(ChildKind kind, const std::string& key) const;
  // The keys of the MCPGateways that have a ClusterRoleBinding, be they deleted.
  std::vector<std::string> bound_gateways() const;
  // What the API server answered to a write of ours; its content counts as verified. Ignored for a
  // kind that is not watched.
  void note_written(ChildKind kind, std::string_view answer);
  // The text of `seen` was compared, and is not needed any more.
  void note_verified(ChildKind kind, const Child& seen);

  kube::Store<ServerEntry> servers;
  kube::Store<GatewayEntry> gateways;
  kube::Store<DeploymentEntry> deployments;
  kube::Store<HpaEntry> hpas;
  PodIndex pods;

  // Where watches and tests tell of children of that kind.
  kube::Sink& sink(ChildKind kind);

 private:
  void watch_children(kube::Client& client, const ChildType& type, kube::Reflectors& reflectors);
  template <typename Visit>
  bool for_each_reflector(const Visit& visit) const;

  const WorldOptions options_;
  const std::function<void(const std::string& key)> changed_;
  // By ChildKind; null for the kinds that have a store of their own above.
  std::array<std::unique_ptr<kube::Store<Child>>, kChildTypes.size()> others_;
  kube::Reflectors reflectors_;  // after what they use
  mutable std::mutex monitors_mutex_;
  std::map<ChildKind, kube::Reflectors>
      monitors_;  // those that exist; protected by monitors_mutex_
};

}  // namespace mcpfleet::op
