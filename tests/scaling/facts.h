// Facts and policies that tests of deciding start from, and a server that lives second by second.
#pragma once

#include <chrono>
#include <initializer_list>
#include <utility>

#include "scaling/facts.h"
#include "scaling/policy.h"
#include "scaling/scaler.h"

namespace mcpfleet::scaling {

// The start of a day, a Thursday.
inline constexpr WallTime kMorning{std::chrono::seconds(1'767'225'600)};

inline Pods ready_pods(int count) { return {.wanted = count, .ready = count}; }

// 1 to 100 replicas by the Operator, without stabilization windows and rate policies.
inline Policy plain_policy() {
  Policy policy;
  policy.min_replicas = 1;
  policy.max_replicas = 100;
  policy.actuator = Actuator::Operator;
  policy.behavior = {};
  policy.behavior.up.policies.clear();
  policy.behavior.down.policies.clear();
  policy.behavior.down.stabilization = Duration{0};
  return policy;
}

// The same, with 50 calls a second a pod.
inline Policy rate_policy() {
  Policy policy = plain_policy();
  policy.targets.requests_per_second = 50;
  return policy;
}

// A server whose pods are there as soon as they are asked for.
class Life {
 public:
  explicit Life(Policy settings, int replicas = 4) : policy(std::move(settings)) {
    facts.now = kMorning;
    facts.pods = ready_pods(replicas);
  }

  using Values = std::initializer_list<std::pair<Signal, double>>;

  // A second passes in which all that is given is measured; what is not is missing.
  Verdict second(Values values) {
    facts.now += std::chrono::seconds(1);
    facts.measurements = {};
    for (const auto& [signal, value] : values) facts[signal] = Measurement::of(value, facts.now);
    return go();
  }
  Verdict seconds(int count, Values values) {
    Verdict last;
    for (int i = 0; i < count; ++i) last = second(values);
    return last;
  }
  // Observes and decides as the facts are.
  Verdict go() {
    scaler.observe(policy, facts);
    const Verdict verdict = scaler.decide(policy, facts, rules_floor);
    if (follows && policy.actuator == Actuator::Operator) facts.pods = ready_pods(verdict.replicas);
    return verdict;
  }

  Policy policy;
  Facts facts;
  Scaler scaler;
  int rules_floor = 0;
  bool follows = true;  // the workload does what is decided
};

}  // namespace mcpfleet::scaling
