// The active health checks of a gateway's pods.
#pragma once

#include "proxy/gateway_plane.h"

namespace mcpfleet::proxy {

// Starts the checks that are due. Call it often.
void start_checks(GatewayPlane& plane);

}  // namespace mcpfleet::proxy
