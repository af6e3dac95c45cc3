// How soon a status has to be written.
//
// Pure. Thread safety: free functions.
#pragma once

#include <optional>

#include "base/clock.h"
#include "fleet/mcp_gateway.h"
#include "fleet/status.h"

namespace mcpfleet::op {

// Nothing: the two say the same. 0: now. A decision of the rules and a refusal are written at once;
// that a spec is accepted, and whether the server is ready or available, at most once a second;
// what else changes every 3 s, so that a server that starts does not cost a write for each of its
// steps; live numbers every 30 s.
//
// `since`: how long ago the status was written last, or the server was seen first.
std::optional<Duration> status_wait(const fleet::Status& stored, const fleet::Status& fresh,
                                    Duration since);
// Of a gateway: how many servers there are is a live number.
std::optional<Duration> status_wait(const fleet::GatewayStatus& stored,
                                    const fleet::GatewayStatus& fresh, Duration since);

}  // namespace mcpfleet::op
