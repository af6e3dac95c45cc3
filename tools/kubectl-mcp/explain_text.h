// An Explanation as a person would say it, in plain text. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "tools/kubectl-mcp/explanation.h"

namespace mcpfleet::kubectl {

// Lines of at most `width` columns, but for a command that is to be copied; `colour`: a terminal
// that shows escape sequences.
std::string explain_text(const Explanation& explanation, std::size_t width, bool colour);

}  // namespace mcpfleet::kubectl
