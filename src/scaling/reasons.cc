#include "scaling/reasons.h"

#include <cstddef>

#include "scaling/autoscaler.h"

namespace mcpfleet::scaling {

const std::array<const char*, kReasons>& reason_texts() {
  static constexpr std::array<const char*, kReasons> kTexts = {
      kNoMetricData,         kCooldownPeriod,
      kNoRecentData,         kThresholdExceeded,
      kThresholdNotMet,      kFloorReleased,
      kLimitsChanged,        "Minimum replicas",
      "Scaled to zero",      "Floor of rules",
      "Over target",         "Under target",
      "On target",           "Idle",
      "Panicking",           "Learning capacity",
      "Over objective",      "Within objective",
      "Objective too tight", "Scheduled",
      "Schedule ramp",       "Forecast load",
      "Held without data",   "Failed without data",
  };
  return kTexts;
}

const char* text(Reason reason) { return reason_texts()[static_cast<std::size_t>(reason)]; }

}  // namespace mcpfleet::scaling
