// A rate limit: a bucket that holds `burst` tokens and gets `per_second` of them back.
//
// Pure: time is an argument. Thread safety: none; one owner.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace mcpfleet {

class TokenBucket {
 public:
  // Full at first. `per_second` > 0, `burst` >= 1.
  TokenBucket(double per_second, int burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Takes a token, where need be one that is yet to come: how long to wait before it may be used.
  // Nothing, and none is taken, where that would be longer than `most`. Who comes first is served
  // first.
  std::optional<Duration> take(MonotonicTime now, Duration most = Duration(0)) {
    const Duration wait = wait_for_one(now);
    if (wait > most) return std::nullopt;
    charge();
    return wait;
  }

  // Takes a token that may be yet to come; who comes next waits for it.
  void charge() { tokens_ -= 1; }

  // How long until there is a token; none is taken.
  Duration wait_for_one(MonotonicTime now) {
    refill(now);
    return until_one();
  }

  // Another rate from now on. Tokens stay as they are, but for those over the new burst, and for
  // what a larger burst brings with it.
  void change(double per_second, int burst, MonotonicTime now) {
    refill(now);
    tokens_ = std::min<double>(burst, tokens_ + std::max(0.0, burst - burst_));
    per_second_ = per_second;
    burst_ = burst;
  }

 private:
  void refill(MonotonicTime now) {
    if (last_ && now > *last_) {
      const auto passed = std::chrono::duration<double>(now - *last_).count();
      tokens_ = std::min(burst_, tokens_ + passed * per_second_);
    }
    if (!last_ || now > *last_) last_ = now;
  }
  Duration until_one() const {
    if (tokens_ >= 1) return Duration(0);
    return std::chrono::ceil<Duration>(std::chrono::duration<double>((1 - tokens_) / per_second_));
  }

  // The rate.
  double per_second_;
  double burst_;
  // The state. Less than none: that many are promised.
  double tokens_;
  std::optional<MonotonicTime> last_;
};

}  // namespace mcpfleet
