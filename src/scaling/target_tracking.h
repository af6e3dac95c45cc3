// Target tracking by the HPA's arithmetic: as many pods as carry the load at the target each.
//
// Where the HPA's tolerance and its rule for pods that were not heard would not move, neither does
// this (k8s.io/kubernetes pkg/controller/podautoscaler/replica_calculator.go). As there, pods that
// start count as carrying nothing when more are asked for. Upwards the short window counts, where
// it shows more than chance could; downwards the stable one alone. Pure, free functions.
#pragma once

#include "scaling/facts.h"
#include "scaling/load.h"
#include "scaling/policy.h"
#include "scaling/proposal.h"

namespace mcpfleet::scaling {

// More load never gives fewer replicas. `target` above 0.
Proposal track_target(const Load& load, double target, const Pods& pods, const Behavior& behavior);

}  // namespace mcpfleet::scaling
