// What an MCPServer depends on besides its own objects: Secrets and ConfigMaps, the workload of
// somebody else that it scales, and what the running server says of itself.
//
// Thread safety: all functions from any thread; look() blocks on the API server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "desired/desired.h"
#include "desired/status.h"
#include "fleet/mcp_server.h"
#include "http/client.h"
#include "kube/client.h"
#include "operator/config_objects.h"
#include "operator/server_info.h"
#include "operator/workloads.h"

namespace mcpfleet::op {

// Of one server, as it was seen.
struct View {
  std::string config_digest;  // as of ConfigObjects::Found
  std::vector<fleet::Reference> missing;
  std::optional<desired::ObservedWorkload> workload;
  std::vector<std::string> other_scalers;

  // Everything that is needed exists. Otherwise nothing is applied, and what ran goes on.
  bool complete() const { return missing.empty() && (!workload || workload->found); }
};

// Two autoscalers of one workload would fight: ours is not wanted while there is another. A pure
// function.
void yield_to_others(const View& view, desired::Desired& desired);

class Surroundings {
 public:
  // `changed` gets the key of each MCPServer for which something changed. Error: Invalid.
  static Result<std::unique_ptr<Surroundings>> create(
      kube::Client& client, const Clock& clock, WorldOptions options,
      const std::function<void(const std::string& key)>& changed);

  Result<View> look(const fleet::MCPServer& server);
  // What the server says of itself, where that is news; see ServerInfos::get().
  std::optional<fleet::ServerInfo> server_info(const fleet::MCPServer& server,
                                               const desired::Observed& observed);
  // The workload of another that `server` scales; see Workloads::scaled().
  std::optional<Workloads::Scaled> scaled_workload(const fleet::MCPServer& server) const;
  void forget(const std::string& key);

 private:
  Surroundings(kube::Client& client, const Clock& clock, WorldOptions options,
               const std::function<void(const std::string& key)>& changed,
               std::unique_ptr<http::Client> http);

  const std::unique_ptr<http::Client> http_;  // to pods
  ConfigObjects config_objects_;
  Workloads workloads_;
  ServerInfos server_infos_;
};

}  // namespace mcpfleet::op
