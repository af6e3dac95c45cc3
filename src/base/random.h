// Random numbers that are the same on every machine: a course of events is told by its seed.
//
// SplitMix64 (Steele, Lea, Flood 2014), which needs one addition and two multiplications a number.
// Not for secrets. Thread safety: one thread at a time.
#pragma once

#include <bit>
#include <cstdint>

namespace mcpfleet {

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
  // One of 0 … `count` - 1, each as likely; `count` > 0.
  std::uint32_t below(std::uint32_t count) {
    return static_cast<std::uint32_t>(((bits() >> 32) * count) >> 32);
  }
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

}  // namespace mcpfleet
