// Connections to one server, kept open between requests. For the translation units that do I/O.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <array>
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

  // Once it is connected.
  void tune();

  Socket socket;
  boost::beast::flat_buffer buffer;  // what was read and not yet taken
  bool carried_some = false;         // a request and its whole answer
  MonotonicTime idle_since;
};

// Why a connection is no more.
enum class Closed : std::uint8_t {
  Idle,         // nobody used it for too long
  Stale,        // the server had closed it, or sent what nobody asked for
  Unconnected,  // it could not be had
  Unfinished,   // an exchange on it broke off
  Final,        // the server said that it closes it
  Excess,       // more than are kept
};
inline constexpr std::array<const char*, 6> kClosedNames{"idle",       "stale", "unconnected",
                                                         "unfinished", "final", "excess"};

class UpstreamPool {
 public:
  // Node's and Python's HTTP servers close a connection that was idle for 5 s. One that may close
  // at the moment of use is no good for a request that must not be sent twice.
  static constexpr Duration kServerIdle = std::chrono::seconds(4);
  static constexpr std::size_t kMostIdle = 256;

  struct Statistics {
    std::uint64_t made = 0;    // new connections, those that failed included
    std::uint64_t reused = 0;  // times that one was used again
    std::array<std::uint64_t, kClosedNames.size()> closed{};
  };

  // `keep`: how long one that nobody uses stays.
  UpstreamPool(asio::io_context& io, tcp::endpoint endpoint, Duration keep = kServerIdle)
      : io_(io), endpoint_(std::move(endpoint)), keep_(keep) {}
  virtual ~UpstreamPool() = default;
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  const tcp::endpoint& endpoint() const { return endpoint_; }

  // An open connection that the server has not closed meanwhile, or null.
  std::unique_ptr<UpstreamConnection> take(MonotonicTime now);
  std::unique_ptr<UpstreamConnection> make();
  // Gives a connection back that nobody uses now. Each that was taken or made is given or dropped.
  void give(std::unique_ptr<UpstreamConnection> connection, MonotonicTime now);
  void drop(std::unique_ptr<UpstreamConnection> connection, Closed why);

  // Closes what was idle for too long.
  void expire(MonotonicTime now);
  // Closes what the server has closed already.
  void look();
  void clear() { idle_.clear(); }

  const Statistics& statistics() const { return statistics_; }
  std::size_t idle() const { return idle_.size(); }

 protected:
  // Whether one more is kept.
  virtual bool may_keep() const { return idle() < kMostIdle; }
  template <typename Condition>
  void drop_where(Condition condition, Closed why);

  std::vector<std::unique_ptr<UpstreamConnection>> idle_;  // the longest unused first

 private:
  void note(Closed why, std::size_t count = 1) {
    statistics_.closed.at(static_cast<std::size_t>(why)) += count;
  }

  asio::io_context& io_;
  const tcp::endpoint endpoint_;
  const Duration keep_;
  Statistics statistics_;
};

template <typename Condition>
void UpstreamPool::drop_where(Condition condition, Closed why) {
  note(why, std::erase_if(idle_, [&](const auto& one) { return condition(*one); }));
}

// Those of several servers, each for as long as it has connections or somebody holds it.
class UpstreamPools {
 public:
  explicit UpstreamPools(asio::io_context& io) : io_(io) {}
  std::shared_ptr<UpstreamPool> of(const tcp::endpoint& endpoint);
  void expire(MonotonicTime now);
  void clear() { pools_.clear(); }

 private:
  asio::io_context& io_;
  std::map<tcp::endpoint, std::shared_ptr<UpstreamPool>> pools_;
};

}  // namespace mcpfleet::proxy
