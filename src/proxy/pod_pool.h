// A gateway's connections to one pod of a server: as routing::ConnectionPool decides. For the
// translation units that do I/O.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "fleet/gateway_settings.h"
#include "proxy/upstream_pool.h"
#include "proxy/waiting_room.h"
#include "routing/connection_pool.h"

namespace mcpfleet::proxy {

class PodPool final : public UpstreamPool, public std::enable_shared_from_this<PodPool> {
 public:
  PodPool(asio::io_context& io, tcp::endpoint endpoint, const fleet::TrafficSettings& settings);

  // Other settings from now on.
  void change(const fleet::TrafficSettings& settings, MonotonicTime now);
  // Closes and opens what is due. `ready`: the pod takes connections.
  void tick(bool ready, MonotonicTime now);

  // Stands for one that is in use, from when it may be had until this ends.
  class Lease;

  std::size_t in_use() const { return rules_.calls.in_flight(); }  // by calls
  std::size_t beside() const { return beside_; }                   // by what is no call
  std::size_t waiting() const { return rules_.calls.queued(); }
  std::uint64_t acquired() const { return acquired_; }  // by calls
  std::uint64_t timeouts() const { return timeouts_; }  // calls that waited for too long

 protected:
  bool may_keep() const override { return rules_.may_keep(idle()); }

 private:
  static Task<> open_ahead(std::shared_ptr<PodPool> pool);

  asio::io_context& io_;
  SystemClock clock_;
  routing::ConnectionPool rules_;
  WaitingRoom room_;
  Duration connect_timeout_;
  std::size_t beside_ = 0;
  std::uint64_t acquired_ = 0;
  std::uint64_t timeouts_ = 0;
};

class PodPool::Lease {
 public:
  explicit Lease(std::shared_ptr<PodPool> pool) : pool_(std::move(pool)) {}
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // For a call: waits until there is a connection for it, until `deadline` at most. Why there is
  // none; or nothing, also where the client is gone.
  Task<std::optional<routing::Refusal>> acquire(ClientLink& client, routing::CallerId caller,
                                                MonotonicTime deadline);
  // For what is no call, which never waits.
  void acquire_beside();

 private:
  enum class Kind { None, Call, Beside };
  const std::shared_ptr<PodPool> pool_;
  Kind kind_ = Kind::None;
};

}  // namespace mcpfleet::proxy
