// Asks the cluster for all that an explanation needs.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kube/client.h"
#include "tools/kubectl-mcp/explanation.h"

namespace mcpfleet::kubectl {

// Errors are those of reading the MCPServer itself; what else cannot be read is said in the
// Explanation. Blocks.
Result<Explanation> gather(kube::Client& client, const std::string& namespace_,
                           const std::string& name, const Clock& clock);

// The last of these Events (a list as the API server answers it) that tells of a rescale; absent:
// none does.
std::optional<Told> last_rescale(std::string_view events);

}  // namespace mcpfleet::kubectl
