// A sidecar: the proxy in front of one MCP server, its metrics, health and drain.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "proxy/options.h"

namespace mcpfleet::proxy {

class Sidecar {
 public:
  // Binds both ports and reads the key. Errors: Invalid, NotFound, Unavailable.
  static Result<std::unique_ptr<Sidecar>> create(SidecarOptions options);
  virtual ~Sidecar() = default;

  virtual std::uint16_t port() const = 0;
  virtual std::uint16_t metrics_port() const = 0;

  // Serves until it was drained after a signal, or stopped. Error: the command of a stdio
  // server failed its start check.
  virtual Result<void> run() = 0;

  // As the first SIGTERM does: drains for at most the drain timeout, then run() returns. From any
  // thread.
  virtual void terminate() = 0;
  // Ends run() at once. From any thread.
  virtual void stop() = 0;
};

}  // namespace mcpfleet::proxy
