// The Scaler of one server: sees its facts each second, and decides how many replicas it shall
// have.
//
//   Scaler scaler(status);                                  // or Scaler()
//   each second:  scaler.observe(policy, facts);
//   each 1-15 s:  Verdict verdict = scaler.decide(policy, facts, autoscaler_floor);
//                 act on verdict.replicas; explain(policy, verdict) where somebody reads.
//
// Recommenders, combined by their maximum: the floor of the rules, each target (Operator only: the
// HPA tracks targets by itself), panic, latency objective, schedules and forecast. Then, with the
// actuator Operator: stabilization windows and rate policies as the HPA's; with the actuator Hpa
// nothing of that, for the HPA smooths what it is told, and once is enough. At last minReplicas and
// maxReplicas.
//
// Holds for any facts and policy: the answer is within the limits; without fresh data nothing is
// scaled in; nothing older than its limit is decided upon; while panicking nothing is scaled in;
// the same calls give the same answers. A clock that jumps back delays, and never causes a change
// by itself. A workload of which spec.replicas is 0 is left there (Operator).
//
// Pure: no clock. Nothing is allocated after the first observe with a policy, but for a forecast
// whose season was changed. Thread safety: a Scaler belongs to one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "fleet/status.h"
#include "scaling/backlog.h"
#include "scaling/facts.h"
#include "scaling/forecast.h"
#include "scaling/latency_objective.h"
#include "scaling/load_window.h"
#include "scaling/panic_window.h"
#include "scaling/policy.h"
#include "scaling/replica_behavior.h"
#include "scaling/schedule.h"
#include "scaling/target_tracking.h"
#include "scaling/verdict.h"

namespace mcpfleet::scaling {

class Scaler {
 public:
  Scaler() = default;
  // Goes on from what an earlier life wrote: the floor is at first the stored one. The replicas
  // need no memory: they are what the workload says. Windows and what was learnt start anew, and
  // until there is data nothing is scaled in.
  explicit Scaler(const fleet::ScalingStatus& stored);

  // Takes the facts of a second. Call it each second; a measurement that was seen before changes
  // nothing.
  void observe(const Policy& policy, const Facts& facts);

  // Decides on what observe() saw; of `facts` only the time and the pods are used. `rules_floor`:
  // Evaluation::floor of the AutoScaler, 0 without rules.
  Verdict decide(const Policy& policy, const Facts& facts, int rules_floor);

  // What is known of the past from elsewhere (the history of the adapter), for the forecast: the
  // load of `signal` at a time. Call it in the order of time, before the first observe().
  void recall(const Policy& policy, Signal signal, WallTime at, double value);

  bool panicking() const { return panic_.active(); }

 private:
  // The last good value of a signal.
  struct Known {
    bool known = false;
    int of_pods = 0;
    double value = 0;  // 0 where it was idle
    bool idle = false;
    WallTime at{};
    Duration over{0};
  };
  // What is known of a signal at one moment.
  enum class State : std::uint8_t { Fresh, LastGood, Missing };

  void tell_time(const Policy& policy, const Pods& pods, WallTime now);
  void resize(const Policy& policy);
  bool take(Signal signal, const Measurement& measurement, const Policy& policy, WallTime now);
  void learn(const Policy& policy, const Pods& pods, bool new_latency, WallTime now);
  State state(const Policy& policy, Signal signal, WallTime now) const;
  bool usable(const Policy& policy, Signal signal, WallTime now) const;
  std::optional<Signal> driver() const;
  Load load(const Policy& policy, Signal signal, const Pods& pods, WallTime now);

  void propose_loads(const Policy& policy, const Pods& pods, Verdict& verdict);
  void propose_latency(const Policy& policy, const Pods& pods, Verdict& verdict);
  void propose_forecast(const Policy& policy, const Pods& pods, Verdict& verdict);
  void find_missing(const Policy& policy, Verdict& verdict) const;
  void limit(const Policy& policy, Verdict& verdict);

  std::array<Known, kSignals> known_{};
  std::array<LoadWindow, 3> stable_;  // by load signal
  std::array<LoadWindow, 3> short_;
  Backlog backlog_;
  PanicWindow panic_;
  LatencyObjective latency_;
  ScheduleTimes schedule_;
  SeasonalForecast forecast_;
  ReplicaBehavior behavior_;
  std::optional<Actuator> actuator_;  // as of the last call
  std::optional<int> floor_;          // Hpa: as of the last decision
  WallTime last_seen_{};
};

}  // namespace mcpfleet::scaling
