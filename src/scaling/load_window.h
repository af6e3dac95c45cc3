// The mean of a load over the last seconds, in a fixed number of slots.
//
// Pure: times are parameters, of 1970 and later. Nothing is allocated. Thread safety: one thread at
// a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace mcpfleet::scaling {

class LoadWindow {
 public:
  // Slots are a second wide, or so much wider that kSlots of them cover the window.
  static constexpr std::size_t kSlots = 64;

  // Another window than before starts empty; one below a second is a second.
  void resize(Duration window);
  // As given to resize().
  Duration window() const { return asked_; }

  // Call it before add(), mean() and peak(): forgets what is older than the window. A time well
  // before the newest slot (the clock jumped back) empties the window.
  void advance(WallTime now);
  // One that is older than the window is not taken; one from after the last advance() counts as of
  // then.
  void add(WallTime at, double value);
  void clear();

  bool empty() const { return count_ == 0; }
  // Of all values in the window; 0 where it is empty.
  double mean() const { return count_ == 0 ? 0 : sum_ / count_; }
  // The mean of the slot where it is greatest.
  double peak() const;

 private:
  struct Slot {
    double sum = 0;
    std::uint32_t count = 0;
  };
  void turn_to(std::int64_t slot);
  void sum_up();

  Duration asked_{0};
  std::int64_t width_ = 1'000'000'000;  // nanoseconds
  std::int64_t used_ = 1;               // slots
  bool started_ = false;
  std::int64_t newest_ = 0;
  std::int64_t newest_start_ = 0;  // nanoseconds since 1970
  std::size_t place_ = 0;          // of the newest slot
  double sum_ = 0;
  std::uint32_t count_ = 0;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace mcpfleet::scaling
