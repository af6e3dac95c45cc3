#include "proxy/upstream_pool.h"

#include <sys/socket.h>

#include <cerrno>

namespace mcpfleet::proxy {
namespace {

// Nothing to read and not closed. Anything else (an end, an error, bytes that nobody asked for)
// makes the connection useless.
bool is_quiet(Socket& socket) {
  char byte = 0;
  const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

std::unique_ptr<UpstreamConnection> UpstreamPool::make() {
  ++statistics_.made;
  return std::make_unique<UpstreamConnection>(io_);
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take(const tcp::endpoint& endpoint,
                                                       MonotonicTime now) {
  const auto found = idle_.find(endpoint);
  if (found == idle_.end()) return nullptr;
  auto& idle = found->second;
  while (!idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    if (now > connection->idle_until) {
      ++statistics_.expired;
    } else if (!is_quiet(connection->socket)) {
      ++statistics_.stale;
    } else {
      ++statistics_.reused;
      connection->reused = true;
      return connection;
    }
  }
  return nullptr;
}

void UpstreamPool::give(const tcp::endpoint& endpoint,
                        std::unique_ptr<UpstreamConnection> connection, MonotonicTime until) {
  auto& idle = idle_[endpoint];
  if (idle.size() >= kMaxIdlePerEndpoint) return;
  connection->idle_until = until;
  idle.push_back(std::move(connection));
}

void UpstreamPool::expire(MonotonicTime now) {
  for (auto& [endpoint, idle] : idle_) {
    statistics_.expired +=
        std::erase_if(idle, [now](const auto& one) { return now > one->idle_until; });
  }
  std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
}

std::size_t UpstreamPool::idle() const {
  std::size_t count = 0;
  for (const auto& [endpoint, idle] : idle_) count += idle.size();
  return count;
}

}  // namespace mcpfleet::proxy
