// The Unix socket over which the pod's preStop hook starts the drain and waits for its end. It
// understands one line, "drain MILLISECONDS", and answers one line when the drain is over.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "proxy/asio_types.h"

namespace mcpfleet::proxy {

struct DrainCalls {
  std::function<void(Duration timeout)> start;
  std::function<bool()> done;
  std::function<std::size_t()> in_flight;  // requests that wait for their answer
};

class DrainServer {
 public:
  // Another user may run the hook, so everybody in the pod may connect. A socket that an earlier
  // process left is replaced. Error: Unavailable.
  static Result<std::unique_ptr<DrainServer>> start(asio::io_context& io, const std::string& path,
                                                    DrainCalls calls);
  virtual ~DrainServer() = default;  // removes the socket
};

}  // namespace mcpfleet::proxy
