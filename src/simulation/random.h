// Random numbers that are the same on every machine: a trace is told by its seed.
//
// SplitMix64 (Steele, Lea, Flood 2014), which needs one addition and two multiplications a number.
// Thread safety: one thread at a time.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace mcpfleet::simulation {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t value = state_ += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  }
  // In [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  // Near to a normal distribution, mean 0, deviation 1: the sum of 64 coins, and a uniform part
  // that takes the steps out of it. Within ±8.
  double normal() {
    const std::uint64_t coins = bits();
    const double part = static_cast<double>(coins * 0x9e3779b97f4a7c15 >> 11) * 0x1p-53;
    // The variance of 64 coins is 16, that of the uniform part a twelfth.
    return (std::popcount(coins) - 32.5 + part) * 0.24935149047701485;
  }

 private:
  std::uint64_t state_;
};

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
