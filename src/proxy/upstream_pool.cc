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

std::unique_ptr<UpstreamConnection> UpstreamPool::take(const tcp::endpoint& endpoint,
                                                       MonotonicTime now) {
  const auto found = idle_.find(endpoint);
  if (found == idle_.end()) return nullptr;
  auto& idle = found->second;
  while (!idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    if (now - connection->idle_since > kMaxIdle || !is_quiet(connection->socket)) continue;
    connection->reused = true;
    return connection;
  }
  return nullptr;
}

void UpstreamPool::give(const tcp::endpoint& endpoint,
                        std::unique_ptr<UpstreamConnection> connection, MonotonicTime now) {
  auto& idle = idle_[endpoint];
  if (idle.size() >= kMaxIdlePerEndpoint) return;
  connection->idle_since = now;
  idle.push_back(std::move(connection));
}

void UpstreamPool::expire(MonotonicTime now) {
  for (auto& [endpoint, idle] : idle_) {
    // The oldest are in front.
    std::size_t old = 0;
    while (old < idle.size() && now - idle[old]->idle_since > kMaxIdle) ++old;
    idle.erase(idle.begin(), idle.begin() + static_cast<std::ptrdiff_t>(old));
  }
  std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace mcpfleet::proxy
