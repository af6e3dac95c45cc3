#include "scaling/latency_objective.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::scaling {
namespace {

// A latency of at most this share of the objective leaves room for more load a pod.
constexpr double kWell = 0.8;
// Pods stay so far below a load that was refused, and go so far beyond one that was carried.
constexpr double kBelowRefused = 0.9;
constexpr double kBeyondCarried = 1.1;
// What a minute forgets.
constexpr double kFadeAMinute = 0.05;
// A miss lowers what a pod carries at most to this share of what it carried then.
constexpr double kLeastCut = 0.5;
// So much less load a pod must lower latency, else pods do not help: 0.7 of the load, and still
// 0.9 of the latency.
constexpr double kLessLoad = 0.7;
constexpr double kSameLatency = 0.9;
// Calls in flight a pod below which nothing is learnt. Even a server that does one call at a time
// makes callers wait for a quarter of a call then, not more.
constexpr double kFloorInFlight = 0.2;
// At the floor, give or take.
constexpr double kNearFloor = 1.25;
// Latency alone asks for at most so many times the pods that serve: what it was learnt from was
// never so far from the present.
constexpr int kMostGrowth = 4;

}  // namespace

void LatencyObjective::carry(const LatencyTarget& target, Signal driver, double per_pod,
                             WallTime now) {
  if (driver != driver_ || target != learnt_for_ || floor_ == 0) {
    *this = LatencyObjective();
    driver_ = driver;
    learnt_for_ = target;
    last_ = now;
    // By Little's law: calls a second × seconds a call are calls in flight.
    floor_ = driver == Signal::Concurrency ? kFloorInFlight : kFloorInFlight / target.seconds;
    per_pod_.resize(kWindow);
  }
  fade(now);
  per_pod_.advance(now);
  per_pod_.add(now, per_pod);
}

void LatencyObjective::fade(WallTime now) {
  const double minutes =
      std::clamp(std::chrono::duration<double>(now - last_).count() / 60, 0.0, 1.0);
  last_ = now;
  carried_ -= carried_ * kFadeAMinute * minutes;
  if (well_) refused_ += refused_ * kFadeAMinute * minutes;
}

void LatencyObjective::judge(const LatencyTarget& target, double latency, WallTime now) {
  if (per_pod_.empty()) return;
  if (samples_ < kSamples) ++samples_;
  well_ = latency <= kWell * target.seconds;
  if (latency > target.seconds) {
    if (samples_ == kSamples) miss(target, latency, now);
    return;
  }
  low_ = too_tight_ = futile_ = false;
  const double load = per_pod_.mean();
  carried_ = std::max(carried_, load);
  // What was refused once is carried now.
  if (well_ && refused_ > 0 && load > kBelowRefused * refused_)
    refused_ = load * kBeyondCarried / kBelowRefused;
}

// Whether the miss is one at hardly any load.
bool LatencyObjective::low(double per_pod, WallTime now) {
  if (per_pod > kNearFloor * floor_) {
    low_ = too_tight_ = false;
    return false;
  }
  if (!low_) low_since_ = now;
  low_ = true;
  too_tight_ = now - low_since_ >= kWindow;
  return true;
}

void LatencyObjective::miss(const LatencyTarget& target, double latency, WallTime now) {
  const double load = per_pod_.peak();
  if (low(load, now)) return;
  if (missed_ && now - last_miss_ < kWindow) return;
  last_miss_ = now;
  if (missed_ && load <= kLessLoad * missed_load_ && latency >= kSameLatency * missed_latency_) {
    futile_ = true;
    return;
  }
  futile_ = false;
  missed_ = true;
  missed_load_ = load;
  missed_latency_ = latency;
  const double carries = load * std::clamp(target.seconds / latency, kLeastCut, 1.0);
  if (refused_ == 0 || carries < refused_) refused_ = std::max(carries, floor_);
  carried_ = std::min(carried_, kBelowRefused * refused_);
}

Proposal LatencyObjective::propose(const LatencyTarget& target, const Load& load,
                                   const Input* latency, const Pods& pods) const {
  Proposal proposal{Recommender::Latency};
  proposal.input[proposal.inputs++] = load.input();
  if (latency != nullptr) proposal.input[proposal.inputs++] = *latency;
  proposal.unattainable = unattainable();
  const double now = load.greatest();
  const bool learnt = samples_ == kSamples && target == learnt_for_;
  const int serving = std::max(pods.ready + pods.outdated, 1);

  int more = 0;
  const double below = kBelowRefused * refused_;
  if (learnt && below > 0)
    more = static_cast<int>(
        std::min<std::int64_t>(pods_for(now, below), std::int64_t{kMostGrowth} * serving));

  double proven = learnt ? std::max(carried_ * (well_ ? kBeyondCarried : 1), floor_) : floor_;
  if (learnt && below > 0) proven = std::min(proven, std::max(below, floor_));
  const int fewer = proven > 0 ? std::min(pods_for(now, proven), pods.wanted) : pods.wanted;

  proposal.replicas = std::max(more, fewer);
  proposal.per_pod = more >= fewer && more > 0 ? below : proven;
  const bool over = latency != nullptr && latency->value > target.seconds;
  proposal.reason = proposal.unattainable ? Reason::ObjectiveTooTight
                    : !(now > 0)          ? Reason::Idle
                    : !learnt             ? Reason::LearningCapacity
                    : over                ? Reason::OverObjective
                                          : Reason::WithinObjective;
  return proposal;
}

void LatencyObjective::pull_back(WallTime now) {
  last_miss_ = std::min(last_miss_, now);
  low_since_ = std::min(low_since_, now);
  last_ = std::min(last_, now);
}

}  // namespace mcpfleet::scaling
