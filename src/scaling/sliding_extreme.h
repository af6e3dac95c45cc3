// The greatest (or least) of the values of the last while, in a fixed number of places.
//
// A monotonic queue: only values that some later moment may still need are kept. Where more than
// kPlaces of them are needed at once, the two newest become one that holds the more extreme value
// until the later one's time: an extreme may then last a little too long, and never too short.
// Pure. Nothing is allocated. Thread safety: one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace mcpfleet::scaling {

// `Beats`: std::greater<int> for the greatest, std::less<int> for the least.
template <typename Beats>
class SlidingExtreme {
 public:
  static constexpr std::size_t kPlaces = 32;

  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }

  // Takes a value, not earlier than the last one.
  void add(WallTime now, int value) {
    while (size_ > 0 && !Beats{}(back().value, value)) --size_;
    if (size_ == kPlaces) {
      back().at = now;
      return;
    }
    ++size_;
    back() = {now, value};
  }

  // Forgets what is `window` old or older. What was added last stays if it is newer.
  void expire(WallTime now, Duration window) {
    while (size_ > 0 && now - front().at >= window) {
      first_ = (first_ + 1) % kPlaces;
      --size_;
    }
  }

  // No time is later than `now`: the clock jumped back.
  void pull_back(WallTime now) {
    for (std::size_t i = 0; i < size_; ++i) {
      Entry& entry = entries_[(first_ + i) % kPlaces];
      if (entry.at > now) entry.at = now;
    }
  }

  // Only where it is not empty.
  int value() const { return entries_[first_].value; }

 private:
  struct Entry {
    WallTime at;
    int value;
  };
  const Entry& front() const { return entries_[first_]; }
  Entry& back() { return entries_[(first_ + size_ - 1) % kPlaces]; }

  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::array<Entry, kPlaces> entries_{};
};

}  // namespace mcpfleet::scaling
