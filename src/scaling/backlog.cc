#include "scaling/backlog.h"

#include <algorithm>

namespace mcpfleet::scaling {
namespace {

// After the last pod became ready, what piled up before still waits.
constexpr Duration kSettle = std::chrono::seconds(30);
// How long the time of a call is remembered.
constexpr double kMemorySeconds = 60;

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void Backlog::observe(const Pods& pods, double rate, double in_flight, double last_in_flight,
                      Duration window, WallTime now) {
  if (pods.starting > 0) {
    started_ = true;
    last_starting_ = now;
  }
  const double passed = std::clamp(in_seconds(now - last_), 0.0, kMemorySeconds);
  last_ = now;
  starting_ = started_ && now - last_starting_ < kSettle;
  if (starting_) {
    // The last value is half a window ahead of the mean.
    const double growth = (last_in_flight - in_flight) / std::max(in_seconds(window) / 2, 0.5);
    demand_ = (rate + std::max(growth, 0.0)) * call_seconds_;
    return;
  }
  if (!(rate > 0) || !(in_flight > 0)) return;
  const double seconds = in_flight / rate;
  const double weight = known_ ? passed / kMemorySeconds : 1;
  call_seconds_ += (seconds - call_seconds_) * weight;
  known_ = true;
}

double Backlog::most(const Pods& pods, double per_pod) const {
  if (!starting_ || !known_) return std::numeric_limits<double>::infinity();
  return std::max(demand_, per_pod * pods.wanted);
}

void Backlog::pull_back(WallTime now) {
  last_starting_ = std::min(last_starting_, now);
  last_ = std::min(last_, now);
}

}  // namespace mcpfleet::scaling
