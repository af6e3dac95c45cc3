// The connections to one pod: which call gets one and who waits, which of those that nobody uses
// are closed, and how many are opened so that there are as many as there shall be.
//
//   pool.calls.ask(caller, now)                 // see Admission: in flight is who has a connection
//   if (pool.may_keep(idle)) keep it            // a connection that nobody uses any more
//   auto work = pool.upkeep(idle, ready, now);  // now and then; then tell opened() of each
//
// Pure: time is an argument. Thread safety: none; one owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "base/clock.h"
#include "fleet/gateway_settings.h"
#include "routing/admission.h"

namespace mcpfleet::routing {

// A connection that nobody uses.
struct IdleConnection {
  MonotonicTime since;       // it came back, or was opened
  bool carried_some = true;  // false: it was opened ahead and never used
};

class ConnectionPool {
 public:
  // More are not kept for later, whatever max_connections is: each costs memory on both sides.
  static constexpr std::size_t kMostIdle = 256;
  // A sidecar knows a gateway by its first request, and closes a connection without one after 75 s.
  static constexpr Duration kUnproven = std::chrono::seconds(60);

  // Of `settings` this looks at connection_pool, timeouts.idle, and limits.max_queue: so many calls
  // wait for a connection at most.
  explicit ConnectionPool(const fleet::TrafficSettings& settings);
  // Other settings from now on. Ask calls.next() afterwards.
  void change(const fleet::TrafficSettings& settings);

  // Whether one that comes back may be kept beside `idle` others that nobody uses. The call that it
  // comes back from is in flight still.
  bool may_keep(std::size_t idle) const;

  struct Upkeep {
    std::vector<std::size_t> close;  // positions in `idle`, ascending
    std::size_t open = 0;            // opened() is due for each
    bool look = false;               // whether the pod has closed those that are left
  };
  // What is due. `idle`: those that nobody uses, the longest unused first. `ready`: the pod takes
  // connections; where it does not, none is opened.
  Upkeep upkeep(std::span<const IdleConnection> idle, bool ready, MonotonicTime now);
  // Of one that upkeep() wanted: it is open, or it cannot be had; then none is opened ahead for
  // health_interval.
  void opened(bool success, MonotonicTime now);

  Admission calls;

 private:
  std::size_t least() const;
  std::size_t most() const;
  bool is_old(const IdleConnection& one, MonotonicTime now) const;

  fleet::ConnectionPool settings_;
  Duration idle_;
  std::size_t opening_ = 0;
  MonotonicTime next_open_ = MonotonicTime::min();
  MonotonicTime next_look_ = MonotonicTime::min();
};

}  // namespace mcpfleet::routing
