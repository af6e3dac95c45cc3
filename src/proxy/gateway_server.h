// One MCPServer as a gateway serves it: what routing decides by, what was counted, and who waits
// for a place. For the translation units that do I/O.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "metrics/histogram.h"
#include "proxy/asio_types.h"
#include "proxy/call_stats.h"
#include "routing/server.h"

namespace mcpfleet::proxy {

// Where the time of a call goes.
enum class Phase { Queue, Connect, FirstByte, Stream };
inline constexpr std::array<const char*, 4> kPhaseNames{"queue", "connect", "first_byte", "stream"};

// One who waits for a place among the calls in flight.
class Waiter {
 public:
  enum class End { Late, Admitted, Displaced };

  explicit Waiter(asio::io_context& io) : timer_(io) {}

  // Until woken, or until `deadline`.
  Task<End> wait(MonotonicTime deadline);
  void wake(End how);

 private:
  Timer timer_;
  End end_ = End::Late;
};

struct GatewayServer {
  explicit GatewayServer(std::shared_ptr<routing::Server> server) : routing(std::move(server)) {}

  const std::string& ns() const { return routing->name().ns; }
  const std::string& name() const { return routing->name().name; }
  // "namespace/name".
  std::string text() const { return ns() + "/" + name(); }

  // Lets go on who has a place now. Call it after whatever may have made room.
  void admit_waiting(MonotonicTime now);
  // Tells one who waits that it had to make room.
  void displace(routing::Ticket ticket);

  void observe(Phase phase, Duration took);

  const std::shared_ptr<routing::Server> routing;
  std::string path = "/mcp";  // at the pods
  CallStats stats;
  std::array<metrics::Histogram, kPhaseNames.size()> phases;
  std::map<routing::Limit, std::uint64_t> refusals;
  std::uint64_t repeats = 0;                           // tries beyond the first of a call
  std::uint64_t ejections = 0;                         // of its pods
  std::uint64_t sessions_lost = 0;                     // requests of sessions whose pod is gone
  std::unordered_map<std::uint64_t, Waiter*> waiters;  // by key_of() their ticket
};

std::uint64_t key_of(routing::Ticket ticket);

}  // namespace mcpfleet::proxy
