// Routes from a file, for running without Kubernetes: the objects that a gateway would watch there,
// as YAML or JSON: MCPServers, EndpointSlices, and an MCPGateway where its settings are not to be
// the defaults.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/route_feed.h"
#include "proxy/route_sink.h"

namespace mcpfleet::gateway {

inline constexpr std::size_t kMaxRoutesBytes = 64 * 1024 * 1024;

// Thread safety: construction and destruction from one thread.
class RoutesFile {
 public:
  // Reads `path` now, and again within a quarter of a second of each change, on a thread of its
  // own. A file that cannot be read or is wrong changes nothing, and /health says why. Errors of
  // the first time: NotFound, Invalid: one sentence that begins with the file.
  static Result<std::unique_ptr<RoutesFile>> start(std::string path, proxy::RouteSink& sink);
  virtual ~RoutesFile() = default;
};

}  // namespace mcpfleet::gateway
