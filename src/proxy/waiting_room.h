// Those who wait for what an Admission gives: a place among a server's calls in flight, or one of a
// pod's connections. For the translation units that do I/O.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "proxy/asio_types.h"
#include "proxy/client_link.h"
#include "routing/admission.h"

namespace mcpfleet::proxy {

// One who waits.
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

class WaitingRoom {
 public:
  // `admission` outlives this.
  WaitingRoom(asio::io_context& io, routing::Admission& admission)
      : io_(io), admission_(admission) {}
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  struct Outcome {
    bool admitted = false;  // leave() is due
    std::optional<routing::Refusal> refusal = std::nullopt;
  };
  // Asks for a call of `caller`, and waits where that is the answer, until `deadline` at most.
  // Neither admitted nor refused: the client is gone.
  Task<Outcome> enter(ClientLink& client, routing::CallerId caller, MonotonicTime now,
                      MonotonicTime deadline);
  // One who was admitted has ended.
  void leave(MonotonicTime now);
  // Lets go on who may now. Call it after other limits, too.
  void admit(MonotonicTime now);

 private:
  // Is known to those who wake for as long as it lives.
  class Registered;

  asio::io_context& io_;
  routing::Admission& admission_;
  std::unordered_map<std::uint64_t, Waiter*> waiters_;  // by key_of() their ticket
};

}  // namespace mcpfleet::proxy
