// Kubernetes' strategic merge patch, for pod templates. Internal to desired.
//
// Pure. Thread safety: free functions.
#pragma once

#include <string>

#include "base/result.h"
#include "fleet/json_text.h"

namespace mcpfleet::desired {

// `patch` laid over `original`, as the API server does it for a strategic merge patch of a pod
// template: maps are merged; the lists whose entries have a merge key (containers, volumes, env,
// ports …) by that key, new entries behind the old; every other list is replaced. A null removes a
// field, "$patch": "delete" a map or an entry, "$patch": "replace" puts the patch in the place of
// the map, or (alone in an entry) of the list. Other directives are refused.
//
// `path` is what the patch is called in messages. Errors: Invalid, one sentence that starts with
// the path, such as "spec.runtime.podTemplate.spec.containers[0].name is required".
Result<fleet::Json> strategic_merge(const fleet::Json& original, const fleet::Json& patch,
                                    const std::string& path);

}  // namespace mcpfleet::desired
