#include "metrics-adapter/roster.h"

namespace mcpfleet::adapter {

bool Roster::refresh() {
  const bool complete = synced_();
  if (!dirty_.exchange(false) && complete == snapshot_.load()->complete) return false;
  auto next = std::make_shared<Snapshot>();
  next->complete = complete;
  // The uids are those of the targets, which a snapshot holds for as long as it is the last one.
  std::unordered_map<std::string_view, std::shared_ptr<PodRecord>> records;
  for (auto& target : pods_()) {
    auto known = records_.find(target->uid);
    auto record = known != records_.end() ? known->second : std::make_shared<PodRecord>(window_);
    records.emplace(target->uid, record);
    auto& space = next->namespaces[target->namespace_];
    const PodEntry entry{std::move(target), std::move(record)};
    if (!entry.target->finished && !entry.target->server.empty())
      space.pods_of[entry.target->server].push_back(entry);
    space.pods.push_back(entry);
  }
  for (auto& server : servers_()) {
    auto& servers = next->namespaces[server->namespace_].servers;
    servers.emplace(server->name, std::move(server));
  }
  for (auto& [name, space] : next->namespaces) {
    space.pods.shrink_to_fit();
    for (auto& [server, pods] : space.pods_of) pods.shrink_to_fit();
  }
  records_ = std::move(records);
  snapshot_.store(std::move(next));
  return true;
}

}  // namespace mcpfleet::adapter
