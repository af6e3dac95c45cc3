#include "operator/config_index.h"

#include <algorithm>
#include <utility>

#include "kube/object_version.h"

namespace mcpfleet::op {

void ConfigIndex::refer(const std::string& server, const std::vector<ConfigKey>& keys) {
  const auto found = references_.find(server);
  if (found == references_.end() ? keys.empty() : found->second == keys) return;
  for (const auto& key : keys) entries_[key].servers.insert(server);
  if (found != references_.end()) {
    for (const auto& key : found->second) {
      if (std::ranges::find(keys, key) != keys.end()) continue;
      const auto entry = entries_.find(key);
      entry->second.servers.erase(server);
      if (entry->second.servers.empty()) entries_.erase(entry);
    }
  }
  if (keys.empty()) {
    references_.erase(server);
  } else {
    references_[server] = keys;
  }
}

std::optional<ConfigObject> ConfigIndex::known(const ConfigKey& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.current) return std::nullopt;
  return found->second.object;
}

std::uint64_t ConfigIndex::begin_read(const ConfigKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return 0;
  found->second.asked = true;
  return found->second.changes;
}

void ConfigIndex::end_read(const ConfigKey& key, std::uint64_t ticket, ConfigObject object) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  found->second.object = std::move(object);
  found->second.current = found->second.changes == ticket;
}

ConfigIndex::Servers ConfigIndex::changed(Entry& entry) {
  ++entry.changes;
  entry.current = false;
  return {entry.servers.begin(), entry.servers.end()};
}

ConfigIndex::Servers ConfigIndex::seen(const ConfigKey& key, std::string_view version,
                                       kube::ListMark::Number mark) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  Entry& entry = found->second;
  entry.mark = mark;
  // What was read is at least as new.
  const bool stale = entry.current && !kube::version_less(entry.object.version, version);
  if (!entry.asked || stale) return {};
  return changed(entry);
}

ConfigIndex::Servers ConfigIndex::gone(const ConfigKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  Entry& entry = found->second;
  if (!entry.asked || (entry.current && !entry.object.exists())) return {};
  return changed(entry);
}

ConfigIndex::Servers ConfigIndex::listed(fleet::Reference::Kind kind, const std::string& namespace_,
                                         const kube::ListMark& mark) {
  std::vector<ConfigKey> unlisted;
  for (auto it = entries_.lower_bound({kind, namespace_, ""}); it != entries_.end(); ++it) {
    const auto& key = it->first;
    if (key.kind != kind || (!namespace_.empty() && key.namespace_ != namespace_)) break;
    if (!mark.listed(it->second.mark)) unlisted.push_back(key);
  }
  Servers servers;
  for (const auto& key : unlisted) {
    for (auto& server : gone(key)) servers.push_back(std::move(server));
  }
  return servers;
}

}  // namespace mcpfleet::op
