// How good a policy was on a trace.
//
// Under- and over-provisioning are the elasticity metrics of the SPEC Research Group ("Ready for
// Rain?", arXiv 1604.03470): the demand of a second is the pods that serve by the oracle's plan,
// the supply those that serve. Pure. Thread safety: free functions and plain values.
#pragma once

#include "simulation/oracle.h"
#include "simulation/replay.h"

namespace mcpfleet::simulation {

struct Score {
  double seconds = 0;   // the length of the trace
  double requests = 0;  // that arrived
  double late = 0;      // were served, and took longer than the objective
  double lost = 0;      // gave up
  double unserved = 0;  // still waited when the trace ended

  // Seconds in which fewer calls were in time than the objective asks for.
  double over_seconds = 0;
  double over_share() const { return seconds > 0 ? over_seconds / seconds : 0; }
  double late_or_lost_share() const { return requests > 0 ? (late + lost) / requests : 0; }

  double pod_seconds = 0;  // pods from the write that made them until they have stopped
  double oracle_pod_seconds = 0;
  double pod_ratio() const { return oracle_pod_seconds > 0 ? pod_seconds / oracle_pod_seconds : 0; }
  int peak_replicas = 0;

  // Mean over time of the pods that were too few (too many), as a share of the demand; and the
  // share of the time with too few (too many).
  double under_accuracy = 0;
  double over_accuracy = 0;
  double under_time = 0;
  double over_time = 0;

  // Changes of the replicas, and those among them that go the other way than the one before.
  int changes = 0;
  int reversals = 0;
  double reversals_per_hour() const { return seconds > 0 ? reversals * 3600 / seconds : 0; }

  // A rise begins when the demand exceeds the replicas, after they had been enough. Reacting to it
  // takes until the policy writes more, which is not counted where the demand has gone before.
  int rises = 0;
  int answered = 0;
  double react_mean = 0;  // seconds, of the answered ones
  double react_worst = 0;
};

// `oracle_pod_seconds`: of the plan, replayed.
Score score(const Timeline& timeline, const Plan& plan, double oracle_pod_seconds);

}  // namespace mcpfleet::simulation
