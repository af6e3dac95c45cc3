// One request of a client through a gateway: its session, its place among the calls in flight, its
// pod, and another pod where nothing can have happened at the first.
#pragma once

#include <memory>
#include <string>

#include "proxy/client_link.h"
#include "proxy/gateway_plane.h"

namespace mcpfleet::proxy {

// Answers the client in every case. `document`: what it asks for is not MCP but that of the
// server's
// /.well-known/ (one that is read: GET, HEAD or OPTIONS); empty: it is MCP.
Task<> exchange(GatewayPlane& plane, ClientLink& client, std::shared_ptr<GatewayServer> server,
                std::string document);

}  // namespace mcpfleet::proxy
