// One MCPServer as a gateway serves it: what routing decides by, what was counted, who waits for a
// place, and the connections to its pods. For the translation units that do I/O.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "metrics/histogram.h"
#include "proxy/asio_types.h"
#include "proxy/call_stats.h"
#include "proxy/pod_pool.h"
#include "proxy/waiting_room.h"
#include "routing/server.h"

namespace mcpfleet::proxy {

// Where the time of a call goes.
enum class Phase { Queue, Connect, FirstByte, Stream };
inline constexpr std::array<const char*, 4> kPhaseNames{"queue", "connect", "first_byte", "stream"};

struct GatewayServer {
  GatewayServer(asio::io_context& context, std::shared_ptr<routing::Server> server)
      : io(context), routing(std::move(server)), room(context, routing->admission) {}

  const std::string& ns() const { return routing->name().ns; }
  const std::string& name() const { return routing->name().name; }
  // "namespace/name".
  std::string text() const { return ns() + "/" + name(); }

  // The pods or the settings are others now: so are the pools.
  void follow(MonotonicTime now);
  // Closes and opens connections as is due.
  void tick(MonotonicTime now);
  // The connections to a pod that is there.
  std::shared_ptr<PodPool> pool_of(const routing::Pod& pod);

  // Calls that wait: for a place among those in flight, or for a connection.
  std::size_t waiting() const;
  void observe(Phase phase, Duration took);

  asio::io_context& io;
  const std::shared_ptr<routing::Server> routing;
  WaitingRoom room;                                         // for a place among the calls in flight
  std::map<std::uint64_t, std::shared_ptr<PodPool>> pools;  // by pool_key() of the pod
  std::string path = "/mcp";                                // at the pods
  CallStats stats;
  std::array<metrics::Histogram, kPhaseNames.size()> phases;
  std::map<routing::Limit, std::uint64_t> refusals;
  std::uint64_t repeats = 0;        // tries beyond the first of a call
  std::uint64_t ejections = 0;      // of its pods
  std::uint64_t sessions_lost = 0;  // requests of sessions whose pod is gone
};

std::uint64_t pool_key(routing::PodId pod);

}  // namespace mcpfleet::proxy
