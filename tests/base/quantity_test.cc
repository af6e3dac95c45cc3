#include "base/quantity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mcpfleet {
namespace {

TEST(QuantityTest, ReadsWhatKubernetesWrites) {
  const struct {
    const char* text;
    std::int64_t want;
  } cases[] = {
      {"0", 0},
      {"100", 100'000},
      {"250m", 250},
      {"1.5", 1'500},
      {"0.2", 200},
      {"1k", 1'000'000},
      {"2Ki", 2'048'000},
      {"1e3", 1'000'000},
      {"100n", 1},
      {"0.0001", 1},
      {"-1500m", -1'500},
      {"+3", 3'000},
      {"1E", kMaxMilli},
      {".5", 500},
      {"12E2", 1'200'000},
      {"0.1", 100},
      {"64Mi", 67'108'864'000},
  };
  for (const auto& test : cases) {
    auto got = parse_quantity_milli(test.text);
    ASSERT_TRUE(got) << test.text << ": " << got.error().message;
    EXPECT_EQ(*got, test.want) << test.text;
  }
}

TEST(QuantityTest, RefusesWhatIsNone) {
  for (const char* text : {"", "abc", "1x", "1.2.3", "--1", "m", "1 000", "1e", "NaN", "0x10"}) {
    auto got = parse_quantity_milli(text);
    ASSERT_FALSE(got) << text;
    EXPECT_NE(got.error().message.find("quantity"), std::string::npos);
  }
}

TEST(QuantityTest, WritesTheCanonicalForm) {
  const struct {
    std::int64_t milli;
    const char* want;
  } cases[] = {{0, "0"},          {1, "1m"},           {1'500, "1500m"}, {1'000, "1"},
               {1'000'000, "1k"}, {1'500'000, "1500"}, {-2'000, "-2"},   {2'000'000'000, "2M"}};
  for (const auto& test : cases) EXPECT_EQ(format_quantity_milli(test.milli), test.want);
}

TEST(QuantityTest, NeverWritesWhatAReaderTakesForZero) {
  EXPECT_FALSE(to_milli(std::nan("")));
  EXPECT_FALSE(to_milli(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(to_milli(1e300).value(), kMaxMilli);
  EXPECT_EQ(to_milli(-1e300).value(), -kMaxMilli);
  EXPECT_EQ(to_milli(0.2).value(), 200);
}

}  // namespace
}  // namespace mcpfleet
