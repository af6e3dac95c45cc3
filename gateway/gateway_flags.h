// The command line of mcp-gateway.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "gateway/kube_routes.h"
#include "log/log.h"
#include "proxy/gateway_options.h"

namespace mcpfleet::gateway {

struct ServeCommand {
  proxy::GatewayOptions options;
  std::string routes_file;  // empty: routes come from the API server
  KubeRoutesOptions routes;
  std::string kubeconfig;  // empty: see kube::load_config()
  std::string context;
  log::Format log_format = log::Format::Text;
  log::Level log_level = log::Level::Info;
};
struct HelpCommand {};
struct VersionCommand {};
using Command = std::variant<ServeCommand, HelpCommand, VersionCommand>;

// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

extern const std::string_view kGatewayHelp;

// Reads the arguments behind the program's name. Error: Invalid, one sentence that names the flag.
Result<Command> parse_gateway_command(const std::vector<std::string>& arguments,
                                      const Environment& env);

}  // namespace mcpfleet::gateway
