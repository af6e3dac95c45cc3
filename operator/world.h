// What the operator knows of the cluster: typed copies of the MCPServers and of their children,
// kept up to date by watches.
//
// Children are watched by label, never all of the cluster; of each only what decisions need is
// kept. Thread safety: all functions from any thread, but start() once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "desired/observed.h"
#include "fleet/mcp_server.h"
#include "kube/client.h"
#include "kube/reflector.h"
#include "kube/store.h"
#include "operator/plan.h"

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

// Deployment, HPA or Service: what the plan needs, and what the status needs.
struct DeploymentEntry : Child {
  desired::ObservedDeployment seen;
};
struct HpaEntry : Child {
  desired::ObservedHpa seen;
};
// Error: Malformed.
Result<Child> decode_child(std::string_view json);
Result<DeploymentEntry> decode_deployment_entry(std::string_view json);
Result<HpaEntry> decode_hpa_entry(std::string_view json);

// Pods by the server they belong to.
class PodIndex final : public kube::Sink {
 public:
  // `changed` gets the key of the server whose pods changed; called on the watch's thread.
  explicit PodIndex(std::function<void(const std::string& server_key)> changed)
      : changed_(std::move(changed)) {}

  std::vector<desired::ObservedPod> of(const std::string& server_key) const;

  void list_begin() override;
  void upsert(std::string_view object_json) override;
  void list_end() override;
  void remove(std::string_view namespace_, std::string_view name) override;

 private:
  std::string erase(const std::string& pod_key);  // needs the lock; the server's key

  const std::function<void(const std::string& server_key)> changed_;
  // Used by the watch's thread only.
  std::map<std::string, bool> listed_;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, desired::ObservedPod>> by_server_;
  std::map<std::string, std::string> server_of_;  // by pod key
};

class World {
 public:
  // `changed` gets the key of each MCPServer that may need work.
  explicit World(std::function<void(const std::string& key)> changed);

  void start(kube::Client& client);
  // All collections are known.
  bool synced() const;
  // The errors of the watches that are interrupted now, a line each; empty when all is well.
  std::string errors() const;

  kube::Store<ServerEntry> servers;
  kube::Store<DeploymentEntry> deployments;
  kube::Store<HpaEntry> hpas;
  kube::Store<Child> services;
  PodIndex pods;

 private:
  std::vector<std::unique_ptr<kube::Reflector>> reflectors_;  // last: they use what is above
};

}  // namespace mcpfleet::op
