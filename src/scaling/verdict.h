// The outcome of one decision, as numbers: explain.h makes sentences of it.
//
// Thread safety: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "scaling/facts.h"
#include "scaling/proposal.h"

namespace mcpfleet::scaling {

// What came between what was asked for and what is done.
enum class Clip : std::uint8_t {
  Minimum,        // fewer than minReplicas were asked for
  Maximum,        // more than maxReplicas were asked for
  RatePolicy,     // behavior: not so many in this period
  Stabilization,  // behavior: not while the window still holds another answer
  PanicHold,      // none go while panicking
  MissingData,    // none go while data is missing
};
inline constexpr std::size_t kClips = 6;
// "minReplicas", "maxReplicas", "rate policy", "stabilization window", "panic", "missing data".
const char* name(Clip clip);

class Clips {
 public:
  constexpr void add(Clip clip) { bits_ |= bit(clip); }
  constexpr bool has(Clip clip) const { return (bits_ & bit(clip)) != 0; }
  constexpr bool none() const { return bits_ == 0; }
  bool operator==(const Clips&) const = default;

 private:
  static constexpr std::uint8_t bit(Clip clip) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(clip));
  }
  std::uint8_t bits_ = 0;
};

// A target a signal, and one each of panic, latency, schedule, forecast and rules.
inline constexpr std::size_t kMaxProposals = 10;

struct Verdict {
  WallTime now{};
  Pods pods;
  // Actuator Operator: spec.replicas as it is. Hpa: the floor before.
  int from = 0;
  // What to do now. Operator: to be written where it differs from pods.wanted. Hpa: the floor to
  // serve. Not acting or failed: the same as `from`.
  int replicas = 0;
  // What `replicas` would be in mode Active; the same in mode Active.
  int advised = 0;
  int asked = 0;  // the greatest proposal, before any limit
  // Who asked for it and why; None where nobody did, or limits or missing data alone decide.
  Recommender by = Recommender::None;
  Reason reason = Reason::MinimumReplicas;
  Clips clipped_by;
  bool acts = true;           // false in DryRun and Paused
  bool failed = false;        // a signal whose policy is Fail is missing: nothing is decided
  bool limited = false;       // more than maxReplicas are asked for
  bool unattainable = false;  // no number of pods can meet the latency objective
  bool panicking = false;
  std::uint8_t missing = 0;  // a bit a signal (1 << index) that is in use and has no fresh data

  bool is_missing(Signal signal) const { return ((missing >> index(signal)) & 1U) != 0; }
  // In the order: targets by signal, panic, latency, schedule, forecast, rules. Of two that ask for
  // the same the first is the cause.
  std::span<const Proposal> proposals() const { return {list.data(), count}; }
  // The proposal behind `by`; null where there is none.
  const Proposal* cause() const { return best < count ? &list[best] : nullptr; }

  // Internal to scaling: elements from `count` on are not set.
  Proposal& add() { return list[count < kMaxProposals ? count++ : kMaxProposals - 1]; }
  std::uint8_t count = 0;
  std::uint8_t best = 255;
  std::array<Proposal, kMaxProposals> list;
};

}  // namespace mcpfleet::scaling
