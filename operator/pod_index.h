// The pods of all MCPServers and MCPGateways, by the one they belong to ("server" below).
//
// Thread safety: all functions from any thread, scope() before the Reflectors start; the callback
// runs on the reflectors' threads and must not block.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "desired/observed.h"
#include "kube/list_mark.h"
#include "kube/reflector.h"

namespace mcpfleet::op {

// As a Sink it takes the pods of the whole cluster; for some namespaces only, start a Reflector of
// each on its scope().
class PodIndex final : public kube::Sink {
 public:
  // `changed` gets the key of the server whose pods changed in what is kept of them.
  explicit PodIndex(std::function<void(const std::string& server_key)> changed)
      : changed_(std::move(changed)) {}

  // Ordered by name.
  std::vector<desired::ObservedPod> of(const std::string& server_key) const;

  kube::Sink& scope(const std::string& namespace_);
  void list_begin() override { whole_.list_begin(); }
  void upsert(std::string_view object_json) override { whole_.upsert(object_json); }
  void list_end() override { whole_.list_end(); }
  void remove(std::string_view namespace_, std::string_view name) override {
    whole_.remove(namespace_, name);
  }

 private:
  struct Slot {
    desired::ObservedPod pod;
    kube::ListMark::Number mark = kube::ListMark::kNever;
  };
  using Pods = std::map<std::string, Slot>;  // by name
  using ByServer = std::map<std::string, Pods>;

  // One Reflector's part. Its calls come from that Reflector's thread.
  struct Scope final : kube::Sink {
    Scope(PodIndex& owner, const std::string& namespace_name)
        : index(owner), prefix(namespace_name.empty() ? "" : namespace_name + "/") {}
    void list_begin() override { mark.begin(); }
    void upsert(std::string_view object_json) override;
    void list_end() override;
    void remove(std::string_view namespace_, std::string_view name) override;

    PodIndex& index;
    const std::string prefix;  // of its keys; empty: all
    kube::ListMark mark;
  };

  // True where it differs from what was known. `moved_from`: the server that it was of until now.
  bool put(const std::string& server, Slot slot, std::string& moved_from);
  std::string erase(const std::string& pod_key);  // needs the lock; the server's key

  const std::function<void(const std::string& server_key)> changed_;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  ByServer by_server_;
  std::map<std::string, ByServer::iterator> server_of_;  // by pod key
  // Constant once the Reflectors run.
  std::map<std::string, std::unique_ptr<Scope>> scopes_;
  Scope whole_{*this, ""};
};

}  // namespace mcpfleet::op
