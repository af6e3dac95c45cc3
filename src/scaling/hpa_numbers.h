// Numbers as kube-controller-manager computes them on amd64: integers wrap, and a floating-point
// number that fits no integer becomes the lowest. Internal to scaling. Pure, free functions.
#pragma once

#include <cstdint>
#include <limits>

namespace mcpfleet::scaling {

inline std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

inline std::int64_t wrapping_multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

// `by` is not 0.
inline std::int64_t wrapping_divide(std::int64_t value, std::int64_t by) {
  return by == -1 ? wrapping_multiply(value, -1) : value / by;
}

// Go's int64(value).
inline std::int64_t to_int64(double value) {
  constexpr double kEnd = 9223372036854775808.0;
  if (value >= -kEnd && value < kEnd) return static_cast<std::int64_t>(value);
  return std::numeric_limits<std::int64_t>::min();
}

// Go's int32(value): the lower half of the 64 bits.
inline int to_int32(std::int64_t value) { return static_cast<std::int32_t>(value); }
inline int to_int32(double value) { return to_int32(to_int64(value)); }

}  // namespace mcpfleet::scaling
