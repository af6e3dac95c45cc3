// What one recommender asks for, as numbers: explain.h makes sentences of it when somebody reads.
//
// Thread safety: plain values.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "scaling/facts.h"
#include "scaling/reasons.h"

namespace mcpfleet::scaling {

enum class Recommender : std::uint8_t {
  None,  // nobody: minimum, maximum, mode
  Rules,
  Target,
  Panic,
  Latency,
  Schedule,
  Forecast,
};
// "rules", "target", "panic", "latency", "schedule", "forecast"; "none".
const char* name(Recommender by);

// A number that a proposal rests upon.
struct Input {
  enum class Kind : std::uint8_t {
    Mean,
    AtLeast,         // what a short mean shows beyond chance
    WithoutBacklog,  // a mean less the callers that wait for starting pods
    Forecast,        // what is expected within `over` from now
  };
  Signal signal;
  Kind kind;
  double value;   // a load: of all pods together; Latency: seconds
  Duration over;  // what it is the mean of; 0: one measurement
  Duration age;   // of the newest measurement in it
};

// Elements are not set where `inputs` does not reach: proposals are made each second.
struct Proposal {
  Recommender by;
  Reason reason;
  std::uint8_t inputs;  // how many of `input` there are
  std::uint8_t entry;   // Schedule: its index in the policy
  bool held;            // Target: within the tolerance, or pods that were not heard decided
  bool unattainable;    // Latency: no number of pods can meet the objective
  int replicas;         // before any limit; 0 to kMostReplicas
  // Target, Panic, Forecast: what a pod shall carry. Latency: what a pod carries within the
  // objective, as learnt; 0: not known. Else 0.
  double per_pod;
  std::array<Input, 2> input;  // the load; Latency: then the latency
};

}  // namespace mcpfleet::scaling
