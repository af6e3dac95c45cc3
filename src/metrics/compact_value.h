// A measured value in two bytes, for histories: what takes eight would be most of an adapter's
// memory.
//
// Thread safety: a plain value.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

namespace mcpfleet::metrics {

// Absent, zero, or 2^-10 (no metric is served finer than a thousandth) to 2^53 within 0.05 %; whole
// numbers up to 2048 are exact. Six bits are the exponent and ten the fraction; there is no sign,
// since no metric is negative.
class CompactValue {
 public:
  constexpr CompactValue() = default;  // absent

  // Negative values, and those that are less than half of the smallest, are zero; NaN is absent;
  // larger ones than the largest are the largest.
  static CompactValue of(double value) {
    if (std::isnan(value)) return {};
    if (value < kSmallest / 2) return CompactValue(kZero);
    int exponent = 0;
    const double clamped = std::clamp(value, kSmallest, kLargest);
    const double fraction = std::frexp(clamped, &exponent);  // in [0.5, 1)
    auto digits = static_cast<std::uint32_t>(std::lround(fraction * 2 * kFractions));
    if (digits == 2 * kFractions) {  // rounded up to the next power of two
      digits = kFractions;
      ++exponent;
    }
    const auto shifted = static_cast<std::uint32_t>(exponent + kExponentBias);
    return CompactValue(static_cast<std::uint16_t>(shifted * kFractions + (digits - kFractions)));
  }

  std::optional<double> get() const {
    if (bits_ == 0) return std::nullopt;
    if (bits_ == kZero) return 0.0;
    const auto digits = kFractions + bits_ % kFractions;
    const int exponent = static_cast<int>(bits_ / kFractions) - kExponentBias;
    return std::ldexp(static_cast<double>(digits) / (2 * kFractions), exponent);
  }

  bool operator==(const CompactValue&) const = default;

 private:
  static constexpr std::uint16_t kZero = 1;
  static constexpr std::uint32_t kFractions = 1024;
  static constexpr int kExponentBias = 10;  // frexp() gives -9 for 2^-10: the lowest is then 1
  static constexpr double kSmallest = 1.0 / 1024;
  static constexpr double kLargest = 9007199254740992.0 / 2048 * 2047;  // just below 2^53

  explicit constexpr CompactValue(std::uint16_t bits) : bits_(bits) {}

  std::uint16_t bits_ = 0;
};

}  // namespace mcpfleet::metrics
