// mcp-sidecar: see kHelp in sidecar_flags.cc.
#include <cstdio>
#include <exception>

#include "gateway/drain_command.h"
#include "gateway/flags.h"
#include "gateway/install_command.h"
#include "gateway/sidecar_flags.h"
#include "log/log.h"
#include "proxy/file_limit.h"
#include "proxy/sidecar.h"

namespace {

using namespace mcpfleet;

int complain(const Error& error) {
  std::fprintf(stderr, "mcp-sidecar: %s\n", error.message.c_str());
  return 1;
}

struct Run {
  int operator()(const sidecar::ServeCommand& command) const {
    log::configure(command.log_format, log::Level::Info);
    proxy::raise_file_limit();
    auto made = proxy::Sidecar::create(command.options);
    const auto ran = made ? (*made)->run() : Result<void>(fail(made.error()));
    if (ran) return 0;
    log::error(ran.error().message);
    return 1;
  }
  int operator()(const sidecar::DrainCommand& command) const {
    const auto reply = sidecar::drain(command);
    if (!reply) return complain(reply.error());
    std::printf("%s\n", reply->c_str());
    return 0;
  }
  int operator()(const sidecar::InstallCommand& command) const {
    const auto installed = sidecar::install(command.destination);
    return installed ? 0 : complain(installed.error());
  }
  int operator()(const sidecar::HelpCommand&) const {
    std::fwrite(sidecar::kHelp.data(), 1, sidecar::kHelp.size(), stdout);
    return 0;
  }
  int operator()(const sidecar::VersionCommand&) const {
    std::puts("mcp-sidecar " MCPFLEET_VERSION);
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto command = sidecar::parse_command({argv + 1, argv + argc}, flags::environment);
    if (!command) {
      complain(command.error());
      return 2;
    }
    return std::visit(Run(), *command);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "mcp-sidecar: ended by a fault: %s\n", fault.what());
    return 1;
  }
}
