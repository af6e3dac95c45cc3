// How long the calls of the last half minute had waited: a histogram over the window that the
// metrics adapter has, with the bounds that its histograms have.
//
// Seconds in which nobody waited cost a comparison. Nothing is allocated. Thread safety: one thread
// at a time.
#pragma once

#include <array>
#include <cstdint>

namespace mcpfleet::simulation {

// Bounds go from 1 ms by powers of √2; the first bucket holds those who did not wait.
inline constexpr int kWaitBuckets = 36;

// The waits of one second: calls by bucket. Those of bucket 0 are left out: they are the rest.
struct WaitSecond {
  std::array<float, kWaitBuckets> calls{};
  bool any = false;

  // `count` calls with waits that go evenly from `low` to `high` seconds.
  void add(double count, double low, double high);
};

class WaitWindow {
 public:
  static constexpr std::int64_t kSeconds = 30;

  void add(double ended, const WaitSecond& waits) {
    ended_ += ended - ended_by_second_[slot_];
    ended_by_second_[slot_] = ended;
    if (waits.any || seconds_[slot_].any) exchange(waits);
    slot_ = slot_ + 1 == kSeconds ? 0 : slot_ + 1;
  }

  // Calls that ended within the window.
  double ended() const { return ended_; }
  // What a share of them had waited at most, in seconds, as its bucket says; 0 without calls.
  double quantile(double share) const;

 private:
  void exchange(const WaitSecond& waits);

  std::size_t slot_ = 0;
  double ended_ = 0;
  int waiting_seconds_ = 0;  // how many seconds of the window have waits
  std::array<double, kSeconds> ended_by_second_{};
  std::array<double, kWaitBuckets> total_{};
  std::array<WaitSecond, kSeconds> seconds_{};
};

}  // namespace mcpfleet::simulation
