// One request of a client through a gateway: its session, its place among the calls in flight, its
// pod, and another pod where nothing can have happened at the first.
#pragma once

#include <memory>

#include "proxy/client_link.h"
#include "proxy/gateway_plane.h"

namespace mcpfleet::proxy {

// Answers the client in every case.
Task<> exchange(GatewayPlane& plane, ClientLink& client, std::shared_ptr<GatewayServer> server);

}  // namespace mcpfleet::proxy
