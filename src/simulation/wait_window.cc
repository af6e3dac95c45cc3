#include "simulation/wait_window.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::simulation {
namespace {

// The upper bounds of the buckets, in seconds; the last one has none.
const std::array<double, kWaitBuckets>& bounds() {
  static const std::array<double, kWaitBuckets> made = [] {
    std::array<double, kWaitBuckets> values{};
    for (int i = 0; i < kWaitBuckets; ++i)
      values[static_cast<std::size_t>(i)] = 0.001 * std::pow(2.0, (i - 1) / 2.0);
    values[0] = 0;
    return values;
  }();
  return made;
}

std::size_t bucket(double wait) {
  const auto& all = bounds();
  const auto found = std::lower_bound(all.begin(), all.end() - 1, wait);
  return static_cast<std::size_t>(found - all.begin());
}

}  // namespace

void WaitSecond::add(double count, double low, double high) {
  if (high <= 0 || count <= 0) return;
  any = true;
  const std::size_t first = bucket(low);
  const std::size_t last = bucket(high);
  if (first == last || high <= low) {
    calls[last] += static_cast<float>(count);
    return;
  }
  double from = low;
  for (std::size_t i = first; i <= last; ++i) {
    const double to = i == last ? high : bounds()[i];
    calls[i] += static_cast<float>(count * (to - from) / (high - low));
    from = to;
  }
}

void WaitWindow::exchange(const WaitSecond& waits) {
  WaitSecond& old = seconds_[slot_];
  waiting_seconds_ += (waits.any ? 1 : 0) - (old.any ? 1 : 0);
  if (waiting_seconds_ == 0) {
    total_ = {};  // and with it what rounding left
  } else {
    for (std::size_t i = 0; i < kWaitBuckets; ++i)
      total_[i] += static_cast<double>(waits.calls[i]) - static_cast<double>(old.calls[i]);
  }
  old = waits;
}

double WaitWindow::quantile(double share) const {
  if (waiting_seconds_ == 0 || ended_ <= 0) return 0;
  // From the longest wait down: how many may be above the answer.
  double above = ended_ * (1 - share + 1e-9);
  for (std::size_t i = kWaitBuckets - 1; i > 0; --i) {
    if (total_[i] > above) return bounds()[i];
    above -= total_[i];
  }
  return 0;
}

}  // namespace mcpfleet::simulation
