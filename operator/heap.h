// Keeps the process's memory near what it holds: lists of thousands of objects come and go.
#pragma once

#include "base/clock.h"

namespace mcpfleet::op {

// For the start of the program, before other threads: few arenas, and large blocks on their own,
// so that what a list took goes back to the system.
void use_little_heap();

// Gives freed memory back once work has ended, at most once in a while.
// Thread safety: none; one owner.
class HeapTrimmer {
 public:
  // Call it now and then. `busy`: there is work.
  void look(bool busy, MonotonicTime now);

 private:
  bool worked_ = true;  // the first lists
  MonotonicTime next_{};
};

}  // namespace mcpfleet::op
