// Replica arithmetic of the rules. Internal to scaling. Pure, free functions.
#pragma once

#include "fleet/mcp_server.h"

namespace mcpfleet::scaling {

// How many replicas `amount` is of `replicas`: percents round up, and it is at least 1.
int pods(const fleet::Amount& amount, int replicas);

bool compare(fleet::Operator op, double value, double threshold);

}  // namespace mcpfleet::scaling
