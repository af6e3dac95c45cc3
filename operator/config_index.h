// Which MCPServers read which Secrets and ConfigMaps, and what is known of those.
//
// Kept is only what a server refers to, however many objects the cluster holds. Pure: what was read
// and what the watches tell are arguments. Thread safety: none; one owner.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/references.h"
#include "kube/list_mark.h"

namespace mcpfleet::op {

struct ConfigKey {
  fleet::Reference::Kind kind = fleet::Reference::Kind::Secret;
  std::string namespace_;
  std::string name;
  auto operator<=>(const ConfigKey&) const = default;
};

// An object as it was read.
struct ConfigObject {
  std::string version;  // resourceVersion; empty: it does not exist
  std::string digest;   // of its data
  bool exists() const { return !version.empty(); }
  bool operator==(const ConfigObject&) const = default;
};

class ConfigIndex {
 public:
  using Servers = std::vector<std::string>;  // keys of MCPServers

  // All that `server` refers to now. Nothing: it is forgotten.
  void refer(const std::string& server, const std::vector<ConfigKey>& keys);

  // What was read, where nothing was told since that may have changed it.
  std::optional<ConfigObject> known(const ConfigKey& key) const;
  // Around a read: what the watches tell in between makes what was read old at once.
  std::uint64_t begin_read(const ConfigKey& key);
  void end_read(const ConfigKey& key, std::uint64_t ticket, ConfigObject object);

  // What the watches tell. The servers that have to look again; none where it is not news.
  Servers seen(const ConfigKey& key, std::string_view version, kube::ListMark::Number mark);
  Servers gone(const ConfigKey& key);
  // After a complete list of a namespace (empty: of all): what it did not name is gone.
  Servers listed(fleet::Reference::Kind kind, const std::string& namespace_,
                 const kube::ListMark& mark);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::set<std::string> servers;
    ConfigObject object;
    std::uint64_t changes = 0;  // told since the entry was made
    bool asked = false;         // a read has begun: from then on what is told matters
    bool current = false;       // `object` is what the API server holds, for all we know
    kube::ListMark::Number mark = kube::ListMark::kNever;
  };

  static Servers changed(Entry& entry);

  std::map<ConfigKey, Entry> entries_;
  std::map<std::string, std::vector<ConfigKey>> references_;  // by server
};

}  // namespace mcpfleet::op
