// The Secrets and ConfigMaps that MCPServers refer to: whether they exist, and a digest of their
// data, so that a change of the data (and nothing else) rolls the pods.
//
// Watches bring metadata only, from the first reference on; an object's data is read once a change,
// digested, and neither kept nor logged. Thread safety: all functions from any thread; look()
// blocks on the API server.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/mcp_server.h"
#include "fleet/references.h"
#include "kube/client.h"
#include "kube/reflector.h"
#include "operator/config_index.h"
#include "operator/world.h"

namespace mcpfleet::op {

class ConfigObjects {
 public:
  // `changed` gets the key of each MCPServer that refers to something that changed. Without
  // `options.secrets` Secrets are not read at all: a change of one rolls nothing, and one that is
  // missing shows when the pods do not start.
  ConfigObjects(kube::Client& client, WorldOptions options,
                std::function<void(const std::string& server)> changed);
  ~ConfigObjects();
  ConfigObjects(const ConfigObjects&) = delete;
  ConfigObjects& operator=(const ConfigObjects&) = delete;

  struct Found {
    // One text for what all the references hold; empty where there is none. Not for people, and to
    // be hashed with a key before it is shown: who guesses the data could tell from it.
    std::string digest;
    std::vector<fleet::Reference> missing;  // that are not optional
  };
  // What `server` refers to, from now on watched for it. Errors: those of the API server.
  Result<Found> look(const fleet::MCPServer& server);
  // It refers to nothing any more.
  void forget(const std::string& server);

 private:
  class Feed;

  void watch(fleet::Reference::Kind kind);
  Result<ConfigObject> read(const ConfigKey& key);
  void tell(const ConfigIndex::Servers& servers) const;

  // Constant after construction.
  kube::Client& client_;
  const WorldOptions options_;
  const std::function<void(const std::string& server)> changed_;
  // Protected by mutex_.
  std::mutex mutex_;
  ConfigIndex index_;
  // Each object is read by one caller at a time, who then knows it for the others.
  std::array<std::mutex, 16> reading_;
  // Protected by feeds_mutex_; last, for they use what is above.
  std::mutex feeds_mutex_;
  std::vector<std::unique_ptr<Feed>> feeds_;
};

// A digest of `data` and `binaryData` of a Secret or ConfigMap, whatever their order in the text,
// and its version. Error: Malformed. A pure function.
Result<ConfigObject> digest_config(std::string_view text);

}  // namespace mcpfleet::op
