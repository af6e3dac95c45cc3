// The command line of mcp-operator. Precedence: flag, environment, default.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "operator/gateway_reconciler.h"
#include "operator/leadership.h"
#include "operator/world.h"

namespace mcpfleet::op {

struct Options {
  std::string kubeconfig;     // empty: see kube::load_config
  std::string context;        // of the kubeconfig; empty: its current one
  int kube_api_qps = 500;     // requests a second at most
  int kube_api_burst = 1000;  // and at once
  std::string namespace_ = "mcpfleet-system";
  std::string sidecar_image = "mcpfleet/mcp-sidecar:" MCPFLEET_VERSION;
  std::string sidecar_pull_policy;
  bool keep_sidecar = true;  // --sidecar-upgrade WithNextRollout
  GatewayOptions gateway{.image = "mcpfleet/mcp-gateway:" MCPFLEET_VERSION};
  WorldOptions watched;
  std::string listen_address = "0.0.0.0";
  std::uint16_t listen_port = 8080;
  int workers = 8;
  LeadershipOptions leadership;
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
