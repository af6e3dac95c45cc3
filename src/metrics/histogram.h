// A histogram of durations with the fixed bounds that every part of the project uses, so that those
// of several pods can be merged exactly: 1 ms × √2^i up to 120 s, then +Inf.
//
// Memory: 48 bytes, and 8 for each bucket from the lowest to the highest that counted something:
// the durations of one kind of request are near each other. Thread safety: a plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mcpfleet::metrics {

class Histogram {
 public:
  static constexpr std::size_t kFiniteBounds = 34;
  static constexpr std::size_t kBuckets = kFiniteBounds + 1;  // the last one is +Inf

  // The upper bounds in seconds, ascending, without +Inf. A bound belongs to its bucket (`le`).
  static std::span<const double, kFiniteBounds> bounds();

  // The bucket whose upper bound is `le` (infinity: the last one), allowing for the rounding of a
  // printed number (1e-6 relative). nullopt: not one of our bounds.
  static std::optional<std::size_t> bucket_with_bound(double le);

  // Counts one duration in seconds. Negative ones count as 0; NaN is ignored.
  void observe(double seconds);

  // Adds `count` observations to one bucket (index < kBuckets), for those who read a histogram from
  // an exposition. The sum is added apart.
  void add(std::size_t bucket, std::uint64_t count);
  void add_sum(double seconds) { sum_ += seconds; }

  // Adds all of `other`: the histogram of both.
  void merge(const Histogram& other);

  // What was observed since `earlier`, an older state of the same histogram. nullopt when a bucket
  // went down: the counters were reset in between.
  std::optional<Histogram> since(const Histogram& earlier) const;

  // The q-quantile (0 ≤ q ≤ 1) in seconds, by linear interpolation inside the bucket, as
  // Prometheus' histogram_quantile does; in the +Inf bucket the largest finite bound. nullopt:
  // nothing was observed.
  std::optional<double> quantile(double q) const;

  // Mean in seconds. nullopt: nothing was observed.
  std::optional<double> mean() const;

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  // Observations of each bucket by itself (not cumulative).
  std::array<std::uint64_t, kBuckets> buckets() const;

  // Calls with the index and the observations of each bucket that has any, in order.
  template <typename Visit>
  void visit(const Visit& call) const {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] > 0) call(first_ + i, counts_[i]);
  }

  bool operator==(const Histogram&) const = default;

 private:
  std::uint64_t at(std::size_t bucket) const {
    // One below first_ becomes far too large.
    return bucket - first_ < counts_.size() ? counts_[bucket - first_] : 0;
  }

  // Of the buckets from first_ on; neither the first nor the last of them is empty.
  std::vector<std::uint64_t> counts_;
  std::size_t first_ = 0;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace mcpfleet::metrics
