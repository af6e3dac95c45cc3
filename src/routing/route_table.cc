#include "routing/route_table.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::routing {
namespace {

constexpr std::string_view kLast = "/mcp";
constexpr std::string_view kWellKnown = "/.well-known/";
constexpr std::size_t kLongestName = 63;

std::string key_of(const ServerName& name) { return name.ns + "/" + name.name; }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::optional<std::string_view> server_in(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  if (!path.starts_with('/') || !path.ends_with(kLast)) return std::nullopt;
  path.remove_prefix(1);
  if (path.size() < kLast.size()) return std::nullopt;
  path.remove_suffix(kLast.size());
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || !is_name(path.substr(0, slash)) ||
      !is_name(path.substr(slash + 1)))
    return std::nullopt;
  return path;
}

std::optional<WellKnown> well_known_in(std::string_view target) {
  if (!target.starts_with(kWellKnown)) return std::nullopt;
  target.remove_prefix(kWellKnown.size());
  const auto slash = target.find_first_of("/?");
  if (slash == std::string_view::npos || !is_name(target.substr(0, slash))) return std::nullopt;
  const auto server = server_in(target.substr(slash));
  if (!server) return std::nullopt;
  return WellKnown{target.substr(0, slash), *server};
}

void RouteTable::set_server(const ServerName& name, const ServerSettings& settings,
                            MonotonicTime now) {
  Entry& entry = entries_[key_of(name)];
  if (entry.server) {
    entry.server->change(settings, now);
    return;
  }
  entry.server = std::make_shared<Server>(name, settings);
  ++servers_;
  refresh(entry, now);
}

void RouteTable::remove_server(const ServerName& name) {
  const auto found = entries_.find(key_of(name));
  if (found == entries_.end() || !found->second.server) return;
  found->second.server = nullptr;
  --servers_;
  drop_if_empty(found);
}

PodSet::Changes RouteTable::set_slice(const ServerName& server, std::string_view slice,
                                      std::vector<Endpoint> endpoints, MonotonicTime now) {
  Entry& entry = entries_[key_of(server)];
  entry.slices.set(slice, std::move(endpoints));
  return refresh(entry, now);
}

PodSet::Changes RouteTable::remove_slice(const ServerName& server, std::string_view slice,
                                         MonotonicTime now) {
  const auto found = entries_.find(key_of(server));
  if (found == entries_.end()) return {};
  found->second.slices.remove(slice);
  auto changes = refresh(found->second, now);
  drop_if_empty(found);
  return changes;
}

std::shared_ptr<Server> RouteTable::find(std::string_view target) const {
  const auto name = server_in(target);
  if (!name) return nullptr;
  const auto found = entries_.find(*name);
  return found == entries_.end() ? nullptr : found->second.server;
}

std::shared_ptr<Server> RouteTable::get(const ServerName& name) const {
  const auto found = entries_.find(key_of(name));
  return found == entries_.end() ? nullptr : found->second.server;
}

PodSet::Changes RouteTable::refresh(const Entry& entry, MonotonicTime now) {
  return entry.server ? entry.server->update(entry.slices.joined(), now) : PodSet::Changes{};
}

void RouteTable::drop_if_empty(Entries::iterator entry) {
  if (!entry->second.server && entry->second.slices.empty()) entries_.erase(entry);
}

}  // namespace mcpfleet::routing
