// A gateway: one address for many MCPServers and all of their pods.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "proxy/gateway_options.h"
#include "proxy/route_sink.h"

namespace mcpfleet::proxy {

class Gateway : public RouteSink {
 public:
  // Binds both ports, reads keys and certificate. Errors: Invalid, NotFound, Unavailable.
  static Result<std::unique_ptr<Gateway>> create(GatewayOptions options);

  virtual std::uint16_t port() const = 0;
  virtual std::uint16_t metrics_port() const = 0;

  // Serves until it was drained after a signal, or stopped.
  virtual void run() = 0;
  // As the first SIGTERM does: drains for at most the drain timeout, then run() returns. From any
  // thread.
  virtual void terminate() = 0;
  // Ends run() at once. From any thread.
  virtual void stop() = 0;
};

}  // namespace mcpfleet::proxy
