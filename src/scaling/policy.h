// How a server is to be scaled, in plain numbers: what spec.autoscaling says, ready for deciding.
//
// Made once when the spec changes, read each second. The rules of spec.autoscaling are not in it:
// they stay with the AutoScaler (autoscaler.h), whose floor is an argument of Scaler::decide.
// Defaults here are for those who build a policy by hand (tests, the simulator); those of the spec
// are the decoder's. Thread safety: plain values.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/cron.h"
#include "scaling/facts.h"

namespace mcpfleet::scaling {

// At most so many schedules count; the schema has the same bound.
inline constexpr std::size_t kMaxSchedules = 16;
// No answer is above it, whatever was measured.
inline constexpr int kMostReplicas = 1'000'000'000;

enum class Mode : std::uint8_t {
  Active,
  DryRun,  // decides, shows what it would do, does nothing
  Paused   // holds what is there; what it would do is still shown
};

// Who writes the replicas.
enum class Actuator : std::uint8_t {
  Hpa,      // the HPA, which tracks the targets itself; deciding gives it a floor, unsmoothed
  Operator  // our operator; deciding does all, and smooths as the HPA would
};

enum class Quantile : std::uint8_t { P50, P95, P99 };

struct LatencyTarget {
  Quantile quantile = Quantile::P95;
  double seconds = 0.2;  // the objective
  bool operator==(const LatencyTarget&) const = default;
};

// What a pod shall carry; absent: not scaled on. Values that are not above 0 are not scaled on
// either, and problems() says so.
struct PodTargets {
  std::optional<double> requests_per_second;
  std::optional<double> concurrency;
  std::optional<double> sessions;
  std::optional<double> cpu_utilization;     // percent of the request
  std::optional<double> memory_utilization;  // percent of the request
  std::optional<LatencyTarget> latency;

  // The usable target of a signal a pod; 0: none. Latency has none a pod.
  double of(Signal signal) const {
    switch (signal) {
      case Signal::RequestsPerSecond:
        return usable(requests_per_second);
      case Signal::Concurrency:
        return usable(concurrency);
      case Signal::Sessions:
        return usable(sessions);
      case Signal::CpuUtilization:
        return usable(cpu_utilization);
      case Signal::MemoryUtilization:
        return usable(memory_utilization);
      case Signal::Latency:
        break;
    }
    return 0;
  }
  bool operator==(const PodTargets&) const = default;

 private:
  // Above 0 and finite; inline, for it is asked several times a decision.
  static double usable(const std::optional<double>& target) {
    return target && *target > 0 && *target < std::numeric_limits<double>::infinity() ? *target : 0;
  }
};

// Short and stable window, as Knative has them (autoscaler.knative.dev's defaults).
struct Panic {
  Duration window = std::chrono::seconds(6);
  Duration stable_window = std::chrono::seconds(60);
  double threshold = 200;  // percent of what ready and starting pods shall carry
  bool operator==(const Panic&) const = default;
};

// From each firing of `cron` on, for `duration`, at least `min_replicas`. Over `ramp` before the
// firing the floor rises in a straight line from the policy's minimum to `min_replicas`, so that
// the pods are there when it begins. After the end nothing is asked for.
struct Schedule {
  std::string name;
  Cron cron;
  Duration duration = std::chrono::hours(1);
  int min_replicas = 1;
  Duration ramp{0};
  bool operator==(const Schedule&) const = default;
};

// Ask now for what the load will be in `lookahead`, judged by what it was one season ago.
struct Forecast {
  Duration season = std::chrono::hours(24);
  Duration lookahead = std::chrono::minutes(5);
  bool operator==(const Forecast&) const = default;
};

// What to do without fresh data of a signal. None of them ever scales in.
struct MissingData {
  enum class Then : std::uint8_t {
    Hold,           // keeps the replicas; other signals may still ask for more
    LastKnownGood,  // goes on with the last value for `last_good_for`, then holds
    Fail            // decides nothing at all, neither up nor down
  };
  Then then = Then::Hold;
  Duration max_age = std::chrono::seconds(60);  // older data is missing
  Duration last_good_for = std::chrono::minutes(5);
  bool operator==(const MissingData&) const = default;
};

// autoscaling/v2's HPAScalingRules.
struct RatePolicy {
  enum class Type : std::uint8_t { Pods, Percent };
  Type type = Type::Percent;
  int value = 100;
  Duration period = std::chrono::seconds(15);
  bool operator==(const RatePolicy&) const = default;
};

struct DirectionBehavior {
  enum class Select : std::uint8_t { Max, Min, Disabled };
  Duration stabilization{0};
  std::vector<RatePolicy> policies;  // empty: as fast as asked for
  Select select = Select::Max;
  double tolerance = 0.1;  // of a target, as a ratio
  bool operator==(const DirectionBehavior&) const = default;
};

// The defaults are those of an HPA without spec.behavior.
struct Behavior {
  DirectionBehavior up{Duration{0},
                       {{RatePolicy::Type::Percent, 100, std::chrono::seconds(15)},
                        {RatePolicy::Type::Pods, 4, std::chrono::seconds(15)}}};
  DirectionBehavior down{std::chrono::seconds(300),
                         {{RatePolicy::Type::Percent, 100, std::chrono::seconds(15)}}};
  bool operator==(const Behavior&) const = default;
};

struct Policy {
  int min_replicas = 1;
  int max_replicas = 1;
  Mode mode = Mode::Active;
  Actuator actuator = Actuator::Hpa;
  PodTargets targets;
  std::optional<Panic> panic = std::nullopt;
  std::vector<Schedule> schedules;
  std::optional<Forecast> forecast = std::nullopt;
  std::array<MissingData, kSignals> missing_data{};  // by signal
  Behavior behavior;

  const MissingData& missing(Signal signal) const { return missing_data[index(signal)]; }
  bool operator==(const Policy&) const = default;
};

// What of the policy cannot be meant, and what deciding does instead: a sentence each, which names
// the field as in spec.autoscaling. Empty: nothing. Deciding survives any policy.
std::vector<std::string> problems(const Policy& policy);

}  // namespace mcpfleet::scaling
