// When a pod that is about to go stops taking sessions, and when it has nothing left to do.
//
// Thread safety: a plain value.
#pragma once

#include <optional>

#include "base/clock.h"

namespace mcpfleet::proxy {

class DrainState {
 public:
  // Other parts of the cluster learn late that this pod is leaving: for `grace` after the start
  // everything is still accepted.
  explicit DrainState(Duration grace) : grace_(grace) {}

  // Starts draining; a second start only shortens the deadline.
  void start(MonotonicTime now, Duration timeout) {
    if (!started_) started_ = now;
    const auto deadline = now + timeout;
    if (!deadline_ || deadline < *deadline_) deadline_ = deadline;
  }

  bool draining() const { return started_.has_value(); }
  bool refuses_sessions(MonotonicTime now) const { return started_ && now >= *started_ + grace_; }
  // `in_flight`: requests that would be lost.
  bool done(MonotonicTime now, std::size_t in_flight) const {
    if (!started_) return false;
    return now >= *deadline_ || (in_flight == 0 && now >= *started_ + grace_);
  }

 private:
  Duration grace_;
  std::optional<MonotonicTime> started_;
  std::optional<MonotonicTime> deadline_;
};

}  // namespace mcpfleet::proxy
