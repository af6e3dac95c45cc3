// Connections to servers, kept open between requests. For the translation units that do I/O.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "proxy/asio_types.h"

namespace mcpfleet::proxy {

struct UpstreamConnection {
  explicit UpstreamConnection(asio::io_context& io) : socket(io) { buffer.reserve(64 * 1024); }

  Socket socket;
  boost::beast::flat_buffer buffer;  // what was read and not yet taken
  bool reused = false;
  MonotonicTime idle_until;
};

class UpstreamPool {
 public:
  // Node's and Python's HTTP servers close a connection that was idle for 5 s. One that may close
  // at the moment of use is no good for a request that must not be sent twice.
  static constexpr Duration kServerIdle = std::chrono::seconds(4);
  static constexpr std::size_t kMaxIdlePerEndpoint = 256;

  // Since the start, of all endpoints together.
  struct Statistics {
    std::uint64_t made = 0;     // new connections, those that failed included
    std::uint64_t reused = 0;   // taken from the pool
    std::uint64_t stale = 0;    // found closed, or with bytes that nobody asked for
    std::uint64_t expired = 0;  // idle for too long
  };

  explicit UpstreamPool(asio::io_context& io) : io_(io) {}

  // An open connection that the server has not closed meanwhile, or null.
  std::unique_ptr<UpstreamConnection> take(const tcp::endpoint& endpoint, MonotonicTime now);
  std::unique_ptr<UpstreamConnection> make();
  // Gives a connection back after a complete response; it is kept until then.
  void give(const tcp::endpoint& endpoint, std::unique_ptr<UpstreamConnection> connection,
            MonotonicTime until);
  // Closes what was idle for too long.
  void expire(MonotonicTime now);
  void clear() { idle_.clear(); }

  const Statistics& statistics() const { return statistics_; }
  std::size_t idle() const;

 private:
  asio::io_context& io_;
  Statistics statistics_;
  std::map<tcp::endpoint, std::vector<std::unique_ptr<UpstreamConnection>>> idle_;
};

}  // namespace mcpfleet::proxy
