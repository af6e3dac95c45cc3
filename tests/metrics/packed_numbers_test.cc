#include "metrics/packed_numbers.h"

#include <gtest/gtest.h>

#include <limits>

namespace mcpfleet::metrics {
namespace {

TEST(PackedNumbersTest, GivesBackWhatWasWrittenInItsOrder) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t numbers[] = {0, 1, 127, 128, 1'000'000'000, kMost - 1, kMost};
  const double reals[] = {0,      -0.0,  1,      0.1,  -3, 9'007'199'254'740'992,
                          1.8e19, 1e300, 5e-324, 63.5, 64, std::numeric_limits<double>::infinity()};
  PackedBytes bytes;
  for (const auto number : numbers) pack(bytes, number);
  for (const auto real : reals) pack(bytes, real);
  PackedReader reader(bytes);
  for (const auto number : numbers) EXPECT_EQ(reader.number(), number);
  for (const auto real : reals)
    EXPECT_EQ(std::bit_cast<std::uint64_t>(reader.real()), std::bit_cast<std::uint64_t>(real))
        << real;
  EXPECT_TRUE(reader.at_end());
}

TEST(PackedNumbersTest, SmallOnesAreSmall) {
  const struct {
    double number;
    std::size_t bytes;
  } cases[] = {{0, 1}, {63, 1}, {64, 2}, {8191, 2}, {0.5, 9}};
  for (const auto& [number, size] : cases) {
    PackedBytes bytes;
    pack(bytes, number);
    EXPECT_EQ(bytes.size(), size) << number;
  }
}

}  // namespace
}  // namespace mcpfleet::metrics
