// Exponential back-off with a ceiling.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace mcpfleet {

// How long to wait before the n-th retry: `base`, doubled each time, never over `ceiling`.
struct Backoff {
  Duration base = std::chrono::milliseconds(50);
  Duration ceiling = std::chrono::seconds(60);

  // `failures` counts from 1. A pure function: jitter, where it is wanted, is the caller's.
  Duration delay(int failures) const {
    const int doublings = std::clamp(failures - 1, 0, 30);
    const auto wanted = static_cast<double>(base.count()) * static_cast<double>(1LL << doublings);
    return wanted >= static_cast<double>(ceiling.count())
               ? ceiling
               : Duration(static_cast<Duration::rep>(wanted));
  }
};

}  // namespace mcpfleet
