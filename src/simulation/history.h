// What could have been measured at a server in the last minutes: running totals, second by second.
//
// Policies ask for averages between two moments; how old these moments are is what tells their
// pipelines apart. Nothing is allocated. Thread safety: one thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace mcpfleet::simulation {

// Totals, or averages a second.
struct Load {
  double arrived = 0;    // calls that came
  double ended = 0;      // calls that ended, served or given up: what counters at a server count
  double in_flight = 0;  // calls that are served or wait
  double busy = 0;       // calls that are served
  double lost = 0;       // of those that ended: gave up
  double wait = 0;       // seconds waited by those who were served
  double pods = 0;       // pods that serve
};

class History {
 public:
  // Seconds that are remembered.
  static constexpr std::int64_t kSeconds = 511;

  // Takes a second in, the next one after the last.
  void add(const Load& second) {
    const Load& last = at(now_);
    Load& next = totals_[index(++now_)];
    next.arrived = last.arrived + second.arrived;
    next.ended = last.ended + second.ended;
    next.in_flight = last.in_flight + second.in_flight;
    next.busy = last.busy + second.busy;
    next.lost = last.lost + second.lost;
    next.wait = last.wait + second.wait;
    next.pods = last.pods + second.pods;
  }

  // How many seconds were taken in: the time now.
  std::int64_t now() const { return now_; }

  // Averages a second over [from, to), cut to what there was and what is remembered; all zero where
  // nothing is left of it.
  Load average(std::int64_t from, std::int64_t to) const {
    to = std::min(to, now_);
    from = std::max({from, std::int64_t{0}, now_ - kSeconds});
    if (to <= from) return {};
    const Load& begin = at(from);
    const Load& end = at(to);
    const double share = 1.0 / static_cast<double>(to - from);
    return {(end.arrived - begin.arrived) * share,
            (end.ended - begin.ended) * share,
            (end.in_flight - begin.in_flight) * share,
            (end.busy - begin.busy) * share,
            (end.lost - begin.lost) * share,
            (end.wait - begin.wait) * share,
            (end.pods - begin.pods) * share};
  }

 private:
  static std::size_t index(std::int64_t second) {
    return static_cast<std::size_t>(second & kSeconds);
  }
  const Load& at(std::int64_t second) const { return totals_[index(second)]; }

  std::array<Load, kSeconds + 1> totals_{};
  std::int64_t now_ = 0;
};

}  // namespace mcpfleet::simulation
