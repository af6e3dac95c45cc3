// mcp-gateway: see kGatewayHelp in gateway_flags.cc.
#include <cstdio>
#include <exception>
#include <memory>

#include "gateway/flags.h"
#include "gateway/gateway_flags.h"
#include "gateway/routes_file.h"
#include "kube/client.h"
#include "kube/config.h"
#include "log/log.h"
#include "proxy/file_limit.h"
#include "proxy/gateway.h"

namespace {

using namespace mcpfleet;

// Where routes come from. What is first here is needed by what follows.
struct Source {
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<gateway::KubeRoutes> watched;
  std::unique_ptr<gateway::RoutesFile> file;
};

Result<void> open(const gateway::ServeCommand& command, proxy::RouteSink& sink, Source& source) {
  if (!command.routes_file.empty()) {
    auto file = gateway::RoutesFile::start(command.routes_file, sink);
    if (!file) return fail(file.error());
    source.file = std::move(*file);
    return {};
  }
  const auto config = kube::load_config(command.kubeconfig, command.context);
  if (!config) return fail(config.error());
  auto client = kube::Client::create(*config, {.user_agent = "mcp-gateway/" MCPFLEET_VERSION});
  if (!client) return fail(client.error());
  source.client = std::move(*client);
  source.watched = gateway::KubeRoutes::start(*source.client, command.routes, sink);
  return {};
}

Result<void> serve(const gateway::ServeCommand& command) {
  auto made = proxy::Gateway::create(command.options);
  if (!made) return fail(made.error());
  Source source;
  if (auto opened = open(command, **made, source); !opened) return opened;
  (*made)->run();
  return {};
}

struct Run {
  int operator()(const gateway::ServeCommand& command) const {
    log::configure(command.log_format, command.log_level);
    proxy::raise_file_limit();
    const auto served = serve(command);
    if (served) return 0;
    log::error(served.error().message);
    return 1;
  }
  int operator()(const gateway::HelpCommand&) const {
    std::fwrite(gateway::kGatewayHelp.data(), 1, gateway::kGatewayHelp.size(), stdout);
    return 0;
  }
  int operator()(const gateway::VersionCommand&) const {
    std::puts("mcp-gateway " MCPFLEET_VERSION);
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto command =
        gateway::parse_gateway_command({argv + 1, argv + argc}, flags::environment);
    if (!command) {
      std::fprintf(stderr, "mcp-gateway: %s\n", command.error().message.c_str());
      return 2;
    }
    return std::visit(Run(), *command);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "mcp-gateway: ended by a fault: %s\n", fault.what());
    return 1;
  }
}
