// The health of a gateway as a whole: of each of its parts, looked at twice a minute.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <string>
#include <utility>

#include "proxy/gateway_plane.h"
#include "routing/composite_health.h"

namespace mcpfleet::proxy {

class GatewayHealth {
 public:
  explicit GatewayHealth(const GatewayPlane& plane);

  // Checks the parts that are due.
  void look(MonotonicTime now);
  // The source of the routes has told something of itself.
  void look_at_routes(MonotonicTime now) { composite_.told(routes_, check_routes(), now); }
  // For /health: whether it works, and the whole as JSON.
  std::pair<bool, std::string> report(MonotonicTime now) const;

 private:
  routing::PartResult check(std::size_t part) const;
  routing::PartResult check_routes() const;
  routing::PartResult check_pods() const;
  routing::PartResult check_files() const;

  const GatewayPlane& plane_;
  routing::CompositeHealth composite_;
  const std::size_t routes_;
  const std::size_t pods_;
  const std::size_t files_;
};

}  // namespace mcpfleet::proxy
