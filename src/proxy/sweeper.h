// Deadlines and hang-ups of many connections, looked at together four times a second, so that the
// way of one request needs no timer and no second read on its client.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace mcpfleet::proxy {

inline constexpr Duration kSweepInterval = std::chrono::milliseconds(250);

// One who waits. While it is registered with a Sweeper it must stay where it is.
class Watched {
 public:
  virtual ~Watched() = default;
  // The deadline has passed. It is cleared before the call.
  virtual void on_deadline() = 0;
  // The other side of `watched_socket` closed or broke. It is cleared before the call.
  virtual void on_hangup() = 0;

  MonotonicTime deadline = MonotonicTime::max();
  int watched_socket = -1;  // -1: not watched

 private:
  friend class Sweeper;
  std::size_t index_ = 0;
};

class Sweeper {
 public:
  void add(Watched& watched);
  void remove(Watched& watched);
  std::size_t size() const { return all_.size(); }

  // Looks at all of them. Being called must not add or remove anyone at once: closing a socket is
  // enough, its owner hears of it in the next turn of the loop.
  void sweep(MonotonicTime now);

 private:
  std::vector<Watched*> all_;
};

}  // namespace mcpfleet::proxy
