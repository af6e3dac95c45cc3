// Numbers one after the other in few bytes: most of those that a window keeps are small and whole.
//
// Nothing says what stands where: it is read in the order in which it was written.
// Thread safety: a plain value; a reader must not outlive what it reads, nor see it change.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mcpfleet::metrics {

using PackedBytes = std::vector<std::uint8_t>;

// Seven bits a byte, the lowest first.
inline void pack(PackedBytes& into, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) into.push_back(static_cast<std::uint8_t>(number | 0x80));
  into.push_back(static_cast<std::uint8_t>(number));
}

// A whole number in as few bytes as above, any other in nine; what comes back is exactly the same.
inline void pack(PackedBytes& into, double number) {
  constexpr double kWhole = 9'007'199'254'740'992;  // up to here all of them are themselves
  if (number >= 0 && number <= kWhole && !std::signbit(number) && std::trunc(number) == number)
    return pack(into, static_cast<std::uint64_t>(number) * 2);
  pack(into, std::uint64_t{1});
  auto bits = std::bit_cast<std::uint64_t>(number);
  for (int i = 0; i < 8; ++i, bits >>= 8) into.push_back(static_cast<std::uint8_t>(bits));
}

// Reads what pack() wrote.
class PackedReader {
 public:
  explicit PackedReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = next();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  double real() {
    const auto word = number();
    if (word % 2 == 0) return static_cast<double>(word >> 1);
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bits |= static_cast<std::uint64_t>(next()) << shift;
    }
    return std::bit_cast<double>(bits);
  }

 private:
  std::uint8_t next() {
    const auto byte = rest_.front();
    rest_ = rest_.subspan(1);
    return byte;
  }

  std::span<const std::uint8_t> rest_;
};

}  // namespace mcpfleet::metrics
