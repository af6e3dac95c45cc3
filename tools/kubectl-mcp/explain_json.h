// An Explanation as JSON, for programs: the same facts as its text. Pure.
#pragma once

#include <string>

#include "tools/kubectl-mcp/explanation.h"

namespace mcpfleet::kubectl {

// Indented, with a newline at its end. Times are RFC 3339; what is not known is left out.
std::string explain_json(const Explanation& explanation);

}  // namespace mcpfleet::kubectl
