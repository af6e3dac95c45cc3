#include "tools/kubectl-mcp/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace mcpfleet::kubectl {

Terminal look_at_terminal(const std::function<std::string(const char*)>& environment) {
  Terminal terminal;
  terminal.present = isatty(STDOUT_FILENO) == 1;
  if (!terminal.present) return terminal;
  // https://no-color.org
  terminal.colour = environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = size.ws_col;
    terminal.height = size.ws_row;
  }
  return terminal;
}

}  // namespace mcpfleet::kubectl
