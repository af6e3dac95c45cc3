// From what was observed to the status of an MCPGateway.
//
// Pure: time is a parameter. Thread safety: free functions without state.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "desired/observed.h"
#include "desired/status.h"
#include "fleet/mcp_gateway.h"

namespace mcpfleet::desired {

struct ObservedGateway {
  std::optional<Refusal> refusal;                // absent: everything wanted was applied
  std::optional<ObservedDeployment> deployment;  // absent: does not exist
  std::vector<ObservedPod> pods;                 // of this gateway
  int servers = 0;                               // MCPServers that it serves
  // Whether the Secret of spec.tls exists; absent: nobody has looked, or may look.
  std::optional<bool> tls_secret_exists;
};

// The new status. `gateway.status` is the previous one: a condition's last_transition is kept while
// its status is the same. For an object that fleet::decode_gateway() refuses pass
// decode_gateway_identity()'s, with `refusal`: address and servers then stay as they were, for the
// last good state keeps running.
fleet::GatewayStatus build_gateway_status(const fleet::MCPGateway& gateway,
                                          const ObservedGateway& observed, WallTime now);

// Numbers: only how many servers there are, or the wording of conditions.
Change compare(const fleet::GatewayStatus& stored, const fleet::GatewayStatus& fresh);

}  // namespace mcpfleet::desired
