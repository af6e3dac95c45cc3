#include "metrics/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mcpfleet::metrics {
namespace {

TEST(Histogram, BoundsGoFromOneMillisecondByPowersOfRootTwoToAtMostTwoMinutes) {
  const auto bounds = Histogram::bounds();
  EXPECT_DOUBLE_EQ(bounds.front(), 0.001);
  EXPECT_DOUBLE_EQ(bounds[2], 0.002);
  EXPECT_LE(bounds.back(), 120.0);
  EXPECT_GT(bounds.back() * std::sqrt(2.0), 120.0);
  for (std::size_t i = 1; i < bounds.size(); ++i)
    EXPECT_NEAR(bounds[i] / bounds[i - 1], std::sqrt(2.0), 1e-12) << i;
}

TEST(Histogram, ABoundBelongsToItsBucket) {
  struct Case {
    double seconds;
    std::size_t bucket;
  };
  for (const auto& [seconds, bucket] : {Case{0, 0}, Case{0.001, 0}, Case{0.0010001, 1}, Case{-1, 0},
                                        Case{0.002, 2}, Case{92.0, 33}, Case{121, 34}}) {
    Histogram histogram;
    histogram.observe(seconds);
    EXPECT_EQ(histogram.buckets()[bucket], 1u) << seconds;
  }
}

TEST(Histogram, FindsABucketByItsPrintedBound) {
  EXPECT_EQ(Histogram::bucket_with_bound(0.001), 0u);
  EXPECT_EQ(Histogram::bucket_with_bound(0.00141421356), 1u);
  EXPECT_EQ(Histogram::bucket_with_bound(std::numeric_limits<double>::infinity()), 34u);
  EXPECT_EQ(Histogram::bucket_with_bound(0.0015), std::nullopt);
  EXPECT_EQ(Histogram::bucket_with_bound(std::nan("")), std::nullopt);
  for (std::size_t i = 0; i < Histogram::kFiniteBounds; ++i)
    EXPECT_EQ(Histogram::bucket_with_bound(Histogram::bounds()[i]), i);
}

TEST(Histogram, QuantileInterpolatesInsideTheBucket) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), std::nullopt);
  for (int i = 0; i < 100; ++i) histogram.observe(0.0015);  // bucket (0.001414, 0.002]
  const double lower = Histogram::bounds()[1];
  EXPECT_NEAR(*histogram.quantile(0.5), lower + (0.002 - lower) / 2, 1e-12);
  EXPECT_NEAR(*histogram.quantile(1), 0.002, 1e-12);
  histogram = Histogram();
  histogram.observe(1000);
  EXPECT_DOUBLE_EQ(*histogram.quantile(0.5), Histogram::bounds().back());
}

TEST(Histogram, MergedIsAsIfOneHadSeenAll) {
  Histogram a, b, both;
  for (int i = 1; i < 50; ++i) {
    a.observe(i * 0.01);
    b.observe(i * 0.25);
    both.observe(i * 0.01);
    both.observe(i * 0.25);
  }
  a.merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_NEAR(a.sum(), both.sum(), 1e-9);
  EXPECT_EQ(*a.quantile(0.95), *both.quantile(0.95));
}

TEST(Histogram, SinceIsTheDifferenceAndNoticesAReset) {
  Histogram earlier;
  earlier.observe(0.01);
  Histogram later = earlier;
  later.observe(3);
  const auto difference = later.since(earlier);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->count(), 1u);
  EXPECT_NEAR(*difference->mean(), 3, 1e-9);
  EXPECT_EQ(Histogram().since(later), std::nullopt);
}

}  // namespace
}  // namespace mcpfleet::metrics
