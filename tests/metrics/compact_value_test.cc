#include "metrics/compact_value.h"

#include <gtest/gtest.h>

#include <limits>

namespace mcpfleet::metrics {
namespace {

TEST(CompactValueTest, NothingIsAbsent) {
  EXPECT_EQ(CompactValue{}.get(), std::nullopt);
  EXPECT_EQ(CompactValue::of(std::numeric_limits<double>::quiet_NaN()), CompactValue{});
}

TEST(CompactValueTest, WholeNumbersAreExactUpTo2048) {
  for (int number = 0; number <= 2048; ++number) EXPECT_EQ(CompactValue::of(number).get(), number);
}

TEST(CompactValueTest, OthersAreWithinATwentiethOfAPercent) {
  for (double value = 0.001; value < 9e12; value *= 1.0173) {
    const double read = CompactValue::of(value).get().value();
    EXPECT_NEAR(read / value, 1, 0.0005) << value;
  }
}

TEST(CompactValueTest, KeepsTheOrder) {
  double before = 0;
  for (double value = 0.0009; value < 1e6; value *= 1.001) {
    const double read = CompactValue::of(value).get().value();
    EXPECT_GE(read, before) << value;
    before = read;
  }
}

TEST(CompactValueTest, TheEdges) {
  const struct {
    double value;
    double want;
  } cases[] = {
      {-3, 0},
      {0, 0},
      {0.0004, 0},
      {0.0006, 1.0 / 1024},
      {1e300, 9007199254740992.0 / 2048 * 2047},
      {std::numeric_limits<double>::infinity(), 9007199254740992.0 / 2048 * 2047},
      {2047.6, 2048},
  };
  for (const auto& test : cases)
    EXPECT_EQ(CompactValue::of(test.value).get(), test.want) << test.value;
}

}  // namespace
}  // namespace mcpfleet::metrics
