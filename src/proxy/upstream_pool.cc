#include "proxy/upstream_pool.h"

#include <netinet/tcp.h>
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

void set_option(Socket& socket, int level, int name, int value) {
  ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

}  // namespace

// A server that vanished without a word is found out after 90 s of silence.
void UpstreamConnection::tune() {
  error_code ignored;
  socket.non_blocking(true, ignored);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

std::unique_ptr<UpstreamConnection> UpstreamPool::make() {
  ++statistics_.made;
  return std::make_unique<UpstreamConnection>(io_);
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take(MonotonicTime now) {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (now - connection->idle_since > keep_) {
      note(Closed::Idle);
    } else if (!is_quiet(connection->socket)) {
      note(Closed::Stale);
    } else {
      ++statistics_.reused;
      return connection;
    }
  }
  return nullptr;
}

void UpstreamPool::give(std::unique_ptr<UpstreamConnection> connection, MonotonicTime now) {
  if (!may_keep()) return note(Closed::Excess);
  connection->idle_since = now;
  idle_.push_back(std::move(connection));
}

void UpstreamPool::drop(std::unique_ptr<UpstreamConnection> connection, Closed why) {
  connection.reset();
  note(why);
}

void UpstreamPool::expire(MonotonicTime now) {
  drop_where([&](const auto& one) { return now - one.idle_since > keep_; }, Closed::Idle);
}

void UpstreamPool::look() {
  drop_where([](auto& one) { return !is_quiet(one.socket); }, Closed::Stale);
}

std::shared_ptr<UpstreamPool> UpstreamPools::of(const tcp::endpoint& endpoint) {
  auto& pool = pools_[endpoint];
  if (pool == nullptr) pool = std::make_shared<UpstreamPool>(io_, endpoint);
  return pool;
}

void UpstreamPools::expire(MonotonicTime now) {
  for (auto& [endpoint, pool] : pools_) pool->expire(now);
  std::erase_if(pools_, [](const auto& entry) {
    return entry.second->idle() == 0 && entry.second.use_count() == 1;
  });
}

}  // namespace mcpfleet::proxy
