// Time as a parameter: wall time and monotonic time are different types, and both are injected.
#pragma once

#include <chrono>
#include <mutex>

namespace mcpfleet {

using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Where code that acts gets the time from. Code that decides takes a time as an argument instead.
// Thread safety: all implementations may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual MonotonicTime monotonic() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  WallTime wall() const override { return std::chrono::system_clock::now(); }
  MonotonicTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

// A clock for tests that moves only when it is told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{std::chrono::seconds(1'767'225'600)})
      : wall_(start) {}
  WallTime wall() const override {
    std::lock_guard lock(mutex_);
    return wall_;
  }
  MonotonicTime monotonic() const override {
    std::lock_guard lock(mutex_);
    return monotonic_;
  }
  void advance(Duration by) {
    std::lock_guard lock(mutex_);
    wall_ += by;
    monotonic_ += by;
  }

 private:
  mutable std::mutex mutex_;
  WallTime wall_;
  MonotonicTime monotonic_{std::chrono::hours(1)};
};

}  // namespace mcpfleet
