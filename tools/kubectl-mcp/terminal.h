// What standard output is.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace mcpfleet::kubectl {

struct Terminal {
  bool present = false;  // false: a file or a pipe
  bool colour = false;
  std::size_t width = 100;
  std::size_t height = 0;  // 0: without an end
};

// As it is now: a window may be resized. `environment` gives a variable or "".
Terminal look_at_terminal(const std::function<std::string(const char*)>& environment);

}  // namespace mcpfleet::kubectl
