// The command line of mcp-operator. Precedence: flag, environment, default.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace mcpfleet::op {

struct Options {
  std::string kubeconfig;  // empty: see kube::load_config
  std::string namespace_ = "mcpfleet-system";
  std::string sidecar_image = "mcpfleet/mcp-sidecar:" MCPFLEET_VERSION;
  std::string sidecar_pull_policy;
  std::string listen_address = "0.0.0.0";
  std::uint16_t listen_port = 8080;
  int workers = 4;
  log::Format log_format = log::Format::Text;
  log::Level log_level = log::Level::Info;
  bool help = false;
};

// What --help prints.
extern const char* const kUsage;

// `arguments` without the program's name; `environment` gives a variable or "". Error: Invalid, one
// sentence that names the flag.
Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const std::function<std::string(const char*)>& environment);

}  // namespace mcpfleet::op
