// Why a pod does not run, from its status. Internal to desired.
#pragma once

#include <optional>

#include "desired/observed.h"
#include "fleet/json_text.h"

namespace mcpfleet::desired {

// The first problem of a pod that is not ready: placement, then its containers in the order in
// which they start. nullopt: it may yet come up.
std::optional<PodProblem> pod_problem(const fleet::Json& pod);

}  // namespace mcpfleet::desired
