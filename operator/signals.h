// SIGTERM and SIGINT, as something to wait for.
//
// Thread safety: wait() and poke() from any thread; make it before any other thread, which inherits
// the mask.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace mcpfleet::op {

class Signals {
 public:
  // Some time after a signal the process ends, whatever it is doing: a call that hangs must not
  // delay the end, and everything can be stopped at any instruction anyhow.
  Signals();

  bool came() const;
  // Waits until a signal came, `also` holds, or `timeout` is over; true in the first two cases.
  // `also` is looked at again after each poke().
  bool wait(
      std::chrono::milliseconds timeout,
      const std::function<bool()>& also = [] { return false; }) const;
  void poke() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace mcpfleet::op
