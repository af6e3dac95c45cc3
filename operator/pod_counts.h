// The pods of a server, as deciding counts them. A pure function.
#pragma once

#include <vector>

#include "desired/observed.h"
#include "scaling/facts.h"

namespace mcpfleet::op {

// `counts`: of its workload. `pods`: where they are ours, else empty. While a rollout goes on, the
// ready replicas that are not of the newest revision count as outdated; pods that suffer from what
// waiting does not mend are not taken for starting.
scaling::Pods pods_of(const desired::ReplicaCounts& counts,
                      const std::vector<desired::ObservedPod>& pods);

}  // namespace mcpfleet::op
