// Seconds of a simulation as times for the deciding code.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace mcpfleet::simulation {

// The simulation begins at 2026-01-01T00:00:00Z: schedules and seasons are counted from there.
inline WallTime time_of(std::int64_t second) {
  return WallTime{std::chrono::seconds(1'767'225'600 + second)};
}

}  // namespace mcpfleet::simulation
