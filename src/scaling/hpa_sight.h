// What the HPA controller sees in one sync: the scale, its pods, and what the metrics APIs said.
//
// Views only: nothing is copied, and what they point to must live as long as the call that they are
// given to. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"

namespace mcpfleet::scaling {

// A pod, or `count` pods that are alike in all that is asked: then everything that is said of one
// of them (its samples too) is said of each. A thousand pods alike cost what one costs.
struct HpaPod {
  enum class Phase : std::uint8_t { Pending, Running, Succeeded, Failed, Unknown };
  enum class Ready : std::uint8_t { Absent, False, True, Unknown };  // the condition's status

  int count = 1;
  Phase phase = Phase::Running;
  Ready ready = Ready::True;
  bool deleting = false;
  WallTime ready_since;             // the last transition of Ready
  std::optional<WallTime> started;  // status.startTime
};

// What is known of a pod for one metric. Without `milli` the pod's metric is missing.
struct HpaSample {
  std::optional<std::int64_t> milli;          // thousandths
  WallTime time;                              // of the measurement
  Duration window = std::chrono::minutes(1);  // that it was averaged over
  std::optional<std::int64_t> request_milli;  // Utilization: what the pod (or container) requests
};

// What a metrics API answered for one metric of the spec.
struct HpaReading {
  std::string_view error;  // its error; empty: it answered
  // Resource, ContainerResource and Pods: one a pod, in the order of the pods. Those beyond are of
  // pods that the controller does not know (any more).
  std::span<const HpaSample> samples;
  // Object: the one value, External: all of them; thousandths.
  std::span<const std::int64_t> values;
};

struct HpaSight {
  int spec_replicas = 0;
  int status_replicas = 0;
  std::span<const HpaPod> pods;          // those that the scale's selector selects
  std::span<const HpaReading> readings;  // one a metric of the spec, in its order
};

}  // namespace mcpfleet::scaling
