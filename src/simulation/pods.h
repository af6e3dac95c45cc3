// The pods of a server: those that serve, and those that start.
//
// Pods are removed as Kubernetes does it: first those that do not serve yet, the newest first. What
// a removed pod had in hand it still serves. Nothing is allocated. Thread safety: one thread at a
// time.
#pragma once

#include <array>
#include <cstdint>

#include "simulation/workload.h"

namespace mcpfleet::simulation {

class Pods {
 public:
  // All `replicas` serve from the beginning.
  Pods(const PodShape& pod, int replicas)
      : start_(pod.start_seconds), stop_(pod.stop_seconds), ready_(replicas) {}

  // Writes the replicas at the beginning of `second`.
  void scale(std::int64_t second, int replicas);
  // A second begins: those who have started by then serve.
  void begin(std::int64_t second) {
    if (starting_ == 0) return;
    int& due = due_[slot(second)];
    ready_ += due;
    starting_ -= due;
    due = 0;
  }

  int ready() const { return ready_; }
  int starting() const { return starting_; }
  int replicas() const { return ready_ + starting_; }
  // Seconds that were paid for pods beside those that exist: for stopping.
  double stopping_seconds() const { return stopping_seconds_; }

 private:
  static constexpr std::uint64_t kSlots = 1024;  // a power of two above the longest start
  static_assert(kSlots > kMaxStartSeconds);
  static std::size_t slot(std::int64_t second) {
    return static_cast<std::uint64_t>(second) % kSlots;
  }

  int start_;
  int stop_;
  int ready_;
  int starting_ = 0;
  double stopping_seconds_ = 0;
  std::array<int, kSlots> due_{};  // how many begin to serve in which second
};

}  // namespace mcpfleet::simulation
