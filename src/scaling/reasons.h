// Why a number of replicas was asked for: the closed list that docs/scaling.md explains.
//
// The texts of the first five are seed 000's; they and "Floor released" and "Limits changed" are
// the constants of autoscaler.h, too. Thread safety: constants.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mcpfleet::scaling {

enum class Reason : std::uint8_t {
  // Of rules.
  NoMetricData,
  CooldownPeriod,
  NoRecentData,
  ThresholdExceeded,
  ThresholdNotMet,
  FloorReleased,
  // Of limits and modes.
  LimitsChanged,    // replicas were outside of minReplicas and maxReplicas
  MinimumReplicas,  // nobody asks for more than the minimum
  ScaledToZero,     // somebody set the workload to zero: it is left there
  RulesFloor,       // the floor that the rules left holds
  // Of targets.
  OverTarget,
  UnderTarget,
  OnTarget,  // within the tolerance
  Idle,      // nothing is carried
  Panicking,
  // Of the latency objective.
  LearningCapacity,   // too few samples yet
  OverObjective,      // the objective was missed, at more load a pod than it carries within it
  WithinObjective,    // pods carry what they were seen to carry within it
  ObjectiveTooTight,  // no number of pods can meet it
  // Of times.
  Scheduled,
  ScheduleRamp,
  ForecastLoad,
  // Of missing data.
  HeldWithoutData,
  FailedWithoutData,
};
inline constexpr std::size_t kReasons = 24;

// "Over target", as in status, Events, logs and metrics.
const char* text(Reason reason);
// All texts, in the order of the enum.
const std::array<const char*, kReasons>& reason_texts();

}  // namespace mcpfleet::scaling
