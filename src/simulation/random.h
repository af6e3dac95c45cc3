// Numbers of calls, by chance, that are the same on every machine.
//
// Thread safety: one thread at a time.
#pragma once

#include <cmath>

#include "base/random.h"

namespace mcpfleet::simulation {

// How many calls come in a second when they come independently of each other, `mean` on average.
class Poisson {
 public:
  explicit Poisson(double mean)
      : mean_(mean), deviation_(std::sqrt(mean)), none_(mean < kFew ? std::exp(-mean) : 0) {}

  double draw(Random& random) const {
    if (mean_ >= kFew) {
      // Rounded down from half a call more; the skew of so large a mean does not show.
      const double calls = std::floor(mean_ + deviation_ * random.normal() + 0.5);
      return calls > 0 ? calls : 0;
    }
    double left = random.uniform();
    double chance = none_;
    int calls = 0;
    while (left >= chance && calls < 100) {
      left -= chance;
      chance *= mean_ / ++calls;
    }
    return calls;
  }

 private:
  static constexpr double kFew = 12;
  double mean_;
  double deviation_;
  double none_;  // the chance of no call
};

}  // namespace mcpfleet::simulation
