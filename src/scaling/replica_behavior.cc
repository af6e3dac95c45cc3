#include "scaling/replica_behavior.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::scaling {
namespace {

int to_replicas(double replicas) {
  return static_cast<int>(std::clamp(replicas, 0.0, static_cast<double>(kMostReplicas)));
}

}  // namespace

void ReplicaBehavior::start(int current, WallTime now) {
  started_ = true;
  current_ = allowed_ = current;
  changes_ = 0;
  up_.clear();
  down_.clear();
  up_.add(now, current);
  down_.add(now, current);
}

void ReplicaBehavior::observe(int current, WallTime now) {
  if (current == current_) return;
  if (current == allowed_) note(current - current_, now);
  current_ = current;
}

void ReplicaBehavior::note(int by, WallTime now) {
  if (changes_ == kChanges) {
    // Two of one become the later: what went or came counts longer, never shorter.
    change_[1].by += change_[0].by;
    std::move(change_.begin() + 1, change_.end(), change_.begin());
    --changes_;
  }
  change_[changes_++] = {now, by};
}

double ReplicaBehavior::at_start(int current, Duration period, WallTime now) const {
  double start = current;
  for (std::size_t i = changes_; i-- > 0 && now - change_[i].at < period;) start -= change_[i].by;
  return start;
}

int ReplicaBehavior::most(const DirectionBehavior& up, int current, WallTime now) const {
  if (up.select == DirectionBehavior::Select::Disabled) return current;
  if (up.policies.empty()) return kMostReplicas;
  const bool least_of_all = up.select == DirectionBehavior::Select::Min;
  double chosen = least_of_all ? kMostReplicas : 0;
  for (const RatePolicy& policy : up.policies) {
    const double start = at_start(current, policy.period, now);
    const double most = policy.type == RatePolicy::Type::Pods
                            ? start + policy.value
                            : std::ceil(start * (1 + policy.value / 100.0));
    chosen = least_of_all ? std::min(chosen, most) : std::max(chosen, most);
  }
  return std::max(to_replicas(chosen), current);
}

int ReplicaBehavior::least(const DirectionBehavior& down, int current, WallTime now) const {
  if (down.select == DirectionBehavior::Select::Disabled) return current;
  if (down.policies.empty()) return 0;
  const bool least_change = down.select == DirectionBehavior::Select::Min;
  double chosen = least_change ? 0 : kMostReplicas;
  for (const RatePolicy& policy : down.policies) {
    const double start = at_start(current, policy.period, now);
    const double least = policy.type == RatePolicy::Type::Pods
                             ? start - policy.value
                             : std::trunc(start * (1 - policy.value / 100.0));
    chosen = least_change ? std::max(chosen, least) : std::min(chosen, least);
  }
  return std::min(to_replicas(chosen), current);
}

int ReplicaBehavior::stabilized(const Behavior& behavior, int wanted, int current, WallTime now,
                                bool burst) {
  up_.add(now, wanted);
  down_.add(now, wanted);
  up_.expire(now, behavior.up.stabilization);
  down_.expire(now, behavior.down.stabilization);
  // The present answer counts where the window is 0, too.
  const int up = up_.empty() || burst ? wanted : std::min(up_.value(), wanted);
  const int down = down_.empty() ? wanted : std::max(down_.value(), wanted);
  return std::min(std::max(current, up), down);
}

int ReplicaBehavior::limit(const Behavior& behavior, int wanted, int current, WallTime now,
                           Clips& clips, bool burst) {
  int allowed = stabilized(behavior, wanted, current, now, burst);
  if (allowed != wanted) clips.add(Clip::Stabilization);
  const int bound = allowed > current   ? std::min(allowed, most(behavior.up, current, now))
                    : allowed < current ? std::max(allowed, least(behavior.down, current, now))
                                        : allowed;
  if (bound != allowed) clips.add(Clip::RatePolicy);
  allowed_ = bound;
  return bound;
}

void ReplicaBehavior::pull_back(WallTime now) {
  up_.pull_back(now);
  down_.pull_back(now);
  for (std::size_t i = 0; i < changes_; ++i) change_[i].at = std::min(change_[i].at, now);
}

}  // namespace mcpfleet::scaling
