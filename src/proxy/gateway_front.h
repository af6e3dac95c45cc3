// A gateway's HTTP face: which request is for which server.
#pragma once

#include "proxy/client_link.h"
#include "proxy/gateway_plane.h"

namespace mcpfleet::proxy {

// Answers one request of a client.
Task<> answer_client(GatewayPlane& plane, ClientLink& client);

}  // namespace mcpfleet::proxy
