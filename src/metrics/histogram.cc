#include "metrics/histogram.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::metrics {
namespace {

std::array<double, Histogram::kFiniteBounds> make_bounds() {
  std::array<double, Histogram::kFiniteBounds> bounds{};
  // Even powers of √2 are exact powers of two; only the odd ones carry its rounding.
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double power = std::ldexp(1.0, static_cast<int>(i / 2));
    bounds[i] = 0.001 * power * (i % 2 == 0 ? 1.0 : std::sqrt(2.0));
  }
  return bounds;
}

}  // namespace

std::span<const double, Histogram::kFiniteBounds> Histogram::bounds() {
  static const auto values = make_bounds();
  return values;
}

std::optional<std::size_t> Histogram::bucket_with_bound(double le) {
  if (std::isnan(le)) return std::nullopt;
  if (std::isinf(le)) return le > 0 ? std::optional(kFiniteBounds) : std::nullopt;
  const auto all = bounds();
  const auto found = std::lower_bound(all.begin(), all.end(), le * (1 - 1e-6));
  if (found == all.end() || std::abs(*found - le) > *found * 1e-6) return std::nullopt;
  return static_cast<std::size_t>(found - all.begin());
}

void Histogram::observe(double seconds) {
  if (std::isnan(seconds)) return;
  seconds = std::max(seconds, 0.0);
  const auto all = bounds();
  const auto found = std::lower_bound(all.begin(), all.end(), seconds);
  add(static_cast<std::size_t>(found - all.begin()), 1);
  sum_ += seconds;
}

void Histogram::add(std::size_t bucket, std::uint64_t count) {
  if (count == 0) return;
  if (counts_.empty()) first_ = bucket;
  if (bucket < first_) {
    counts_.insert(counts_.begin(), first_ - bucket, 0);
    first_ = bucket;
  }
  if (bucket - first_ >= counts_.size()) counts_.resize(bucket - first_ + 1);
  counts_[bucket - first_] += count;
  count_ += count;
}

void Histogram::merge(const Histogram& other) {
  if (counts_.empty()) {
    counts_ = other.counts_;
    first_ = other.first_;
    count_ = other.count_;
    sum_ += other.sum_;
    return;
  }
  other.visit([this](std::size_t bucket, std::uint64_t count) { add(bucket, count); });
  sum_ += other.sum_;
}

std::optional<Histogram> Histogram::since(const Histogram& earlier) const {
  Histogram difference;
  bool fell = false;
  earlier.visit([&](std::size_t bucket, std::uint64_t count) { fell |= at(bucket) < count; });
  if (fell) return std::nullopt;
  visit([&](std::size_t bucket, std::uint64_t count) {
    difference.add(bucket, count - earlier.at(bucket));
  });
  difference.sum_ = sum_ - earlier.sum_;
  return difference;
}

std::array<std::uint64_t, Histogram::kBuckets> Histogram::buckets() const {
  std::array<std::uint64_t, kBuckets> all{};
  std::ranges::copy(counts_, all.begin() + static_cast<std::ptrdiff_t>(first_));
  return all;
}

std::optional<double> Histogram::quantile(double q) const {
  if (count_ == 0 || std::isnan(q)) return std::nullopt;
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_);
  const auto all = bounds();
  std::uint64_t below = 0;
  for (std::size_t i = first_; i < std::min(first_ + counts_.size(), kFiniteBounds); ++i) {
    const auto here = at(i);
    const auto upto = below + here;
    if (here > 0 && static_cast<double>(upto) >= rank) {
      const double lower = i == 0 ? 0.0 : all[i - 1];
      const double part = (rank - static_cast<double>(below)) / static_cast<double>(here);
      return lower + (all[i] - lower) * part;
    }
    below = upto;
  }
  return all.back();
}

std::optional<double> Histogram::mean() const {
  if (count_ == 0) return std::nullopt;
  return sum_ / static_cast<double>(count_);
}

}  // namespace mcpfleet::metrics
