// The command line of mcp-sidecar.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"
#include "proxy/options.h"

namespace mcpfleet::sidecar {

struct ServeCommand {
  proxy::SidecarOptions options;
  log::Format log_format = log::Format::Text;
};
struct DrainCommand {
  std::string socket = "/mcpfleet/drain.sock";
  Duration timeout = std::chrono::seconds(30);
};
struct InstallCommand {
  std::string destination;
};
struct HelpCommand {};
struct VersionCommand {};
using Command =
    std::variant<ServeCommand, DrainCommand, InstallCommand, HelpCommand, VersionCommand>;

// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

extern const std::string_view kHelp;

// Reads the arguments behind the program's name. Error: Invalid, one sentence that names the flag.
Result<Command> parse_command(const std::vector<std::string>& arguments, const Environment& env);

}  // namespace mcpfleet::sidecar
