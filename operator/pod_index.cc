#include "operator/pod_index.h"

#include "kube/paths.h"
#include "log/log.h"
#include "operator/trim.h"

namespace mcpfleet::op {

std::vector<desired::ObservedPod> PodIndex::of(const std::string& server_key) const {
  std::lock_guard lock(mutex_);
  std::vector<desired::ObservedPod> result;
  const auto found = by_server_.find(server_key);
  if (found == by_server_.end()) return result;
  for (const auto& [name, slot] : found->second) result.push_back(slot.pod);
  return result;
}

kube::Sink& PodIndex::scope(const std::string& namespace_) {
  std::lock_guard lock(mutex_);
  auto& found = scopes_[namespace_];
  if (found == nullptr) found = std::make_unique<Scope>(*this, namespace_);
  return *found;
}

std::string PodIndex::erase(const std::string& pod_key) {
  const auto found = server_of_.find(pod_key);
  if (found == server_of_.end()) return {};
  const auto server = found->second;
  std::string key = server->first;
  server_of_.erase(found);
  server->second.erase(kube::split_key(pod_key).name);
  if (server->second.empty()) by_server_.erase(server);
  return key;
}

bool PodIndex::put(const std::string& server, Slot slot, std::string& moved_from) {
  const std::string key = kube::make_key(slot.pod.namespace_, slot.pod.name);
  std::lock_guard lock(mutex_);
  const auto known = server_of_.find(key);
  if (known != server_of_.end() && known->second->first != server) moved_from = erase(key);
  const auto found = by_server_.try_emplace(server).first;
  const auto [held, added] = found->second.try_emplace(slot.pod.name);
  const bool differs = added || held->second.pod != slot.pod;
  held->second = std::move(slot);
  server_of_[key] = found;
  return differs;
}

void PodIndex::Scope::upsert(std::string_view object_json) {
  auto pod = desired::decode_pod(trim_pod(object_json));
  if (!pod) {
    log::warn("a pod cannot be read", {{"error", pod.error().message}});
    return;
  }
  const std::string server = kube::make_key(pod->namespace_, pod->owner);
  std::string moved_from;
  const bool differs = index.put(server, {std::move(*pod), mark.mark()}, moved_from);
  if (!moved_from.empty()) index.changed_(moved_from);
  if (differs) index.changed_(server);
}

void PodIndex::Scope::list_end() {
  std::vector<std::string> changed;
  {
    std::lock_guard lock(index.mutex_);
    auto it = index.server_of_.lower_bound(prefix);
    while (it != index.server_of_.end() && it->first.starts_with(prefix)) {
      const std::string key = (it++)->first;
      const auto& pods = index.server_of_.at(key)->second;
      if (mark.listed(pods.at(kube::split_key(key).name).mark)) continue;
      changed.push_back(index.erase(key));
    }
  }
  for (const auto& server : changed) index.changed_(server);
}

void PodIndex::Scope::remove(std::string_view namespace_, std::string_view name) {
  std::string server;
  {
    std::lock_guard lock(index.mutex_);
    server = index.erase(kube::make_key(namespace_, name));
  }
  if (!server.empty()) index.changed_(server);
}

}  // namespace mcpfleet::op
