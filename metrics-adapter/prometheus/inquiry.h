// What Prometheus was asked for an answer, for people.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"

namespace mcpfleet::adapter::promql {

struct Inquiry {
  std::string promql;      // that was sent; empty: it did not come to that
  std::size_t series = 0;  // in the answer
  // Since Prometheus last said which series it has; none: it has not yet.
  std::optional<Duration> discovery_age;
};

}  // namespace mcpfleet::adapter::promql
