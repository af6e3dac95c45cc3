// Which server a request is for.
//
// Pure. Thread safety: none; one owner.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "routing/endpoints.h"
#include "routing/server.h"

namespace mcpfleet::routing {

class RouteTable {
 public:
  // A server is there, or has other settings.
  void set_server(const ServerName& name, const ServerSettings& settings, MonotonicTime now);
  // It is served no more; calls in flight hold it until they end.
  void remove_server(const ServerName& name);

  // A slice of the server's endpoints, by its own name. It may come before the server does.
  PodSet::Changes set_slice(const ServerName& server, std::string_view slice,
                            std::vector<Endpoint> endpoints, MonotonicTime now);
  PodSet::Changes remove_slice(const ServerName& server, std::string_view slice, MonotonicTime now);

  // The server that `target`, a request's path with or without a query, is for:
  // /{namespace}/{name}/mcp. Null: no server of ours. The pointer is for holding it while a call
  // lasts.
  std::shared_ptr<Server> find(std::string_view target) const;
  // Null: there is none, or only its endpoints are known.
  std::shared_ptr<Server> get(const ServerName& name) const;
  std::size_t size() const { return servers_; }

  // Each server that is served, in no order: function(Server&).
  template <typename Function>
  void each(Function function) const {
    for (const auto& [key, entry] : entries_)
      if (entry.server) function(*entry.server);
  }

 private:
  struct Entry {
    std::shared_ptr<Server> server;  // null: not told of yet
    EndpointSlices slices;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  PodSet::Changes refresh(const Entry& entry, MonotonicTime now);
  void drop_if_empty(Entries::iterator entry);

  Entries entries_;  // by "namespace/name"
  std::size_t servers_ = 0;
};

// The "namespace/name" in the path of a target; nullopt: it is no such path. Both are names as
// Kubernetes has them: lower-case letters, digits and '-', at most 63 characters each.
std::optional<std::string_view> server_in(std::string_view target);

// What a client asks for that looks for what a server says of itself beside its endpoint, where RFC
// 8615 has it: /.well-known/{document}/{namespace}/{name}/mcp (RFC 9728, 3.1: the path of the
// resource comes last).
struct WellKnown {
  std::string_view document;  // "oauth-protected-resource"
  std::string_view server;    // "namespace/name"
  bool operator==(const WellKnown&) const = default;
};
// Both are parts of `target`; nullopt: it is no such path. A document's name is made as others are.
std::optional<WellKnown> well_known_in(std::string_view target);

}  // namespace mcpfleet::routing
