// The sessions that the server of this pod holds, as far as its sidecar can see.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace mcpfleet::proxy {

class SessionTable {
 public:
  // More are not tracked, so that a server that forgets to end sessions costs bounded memory.
  static constexpr std::size_t kMaxSessions = 100'000;

  // A session was minted, or was used and the server knew it.
  void touch(std::string_view backend_id, MonotonicTime now);
  // While a stream or request of a session is open it is not idle. Every hold needs its release.
  void hold(std::string_view backend_id, MonotonicTime now);
  void release(std::string_view backend_id, MonotonicTime now);
  // The client ended it, or the server does not know it.
  void remove(std::string_view backend_id);
  // Forgets those that nobody used for `idle`.
  void expire(MonotonicTime now, Duration idle);

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Entry {
    MonotonicTime last_use;
    int holds = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> sessions_;
};

}  // namespace mcpfleet::proxy
