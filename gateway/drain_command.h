// `mcp-sidecar drain`: the client of the drain socket.
#pragma once

#include "base/result.h"
#include "gateway/sidecar_flags.h"

namespace mcpfleet::sidecar {

// Asks and waits until the drain is over; gives the sidecar's last line. Errors: Unavailable (no
// sidecar listens there), Timeout (no answer a few seconds after the drain's own timeout).
Result<std::string> drain(const DrainCommand& command);

}  // namespace mcpfleet::sidecar
