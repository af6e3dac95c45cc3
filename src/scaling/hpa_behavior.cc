#include "scaling/hpa_behavior.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "scaling/hpa_numbers.h"

namespace mcpfleet::scaling {
namespace {

using Event = HpaMemory::Event;
using Recommendation = HpaMemory::Recommendation;

constexpr int kLowest = std::numeric_limits<std::int32_t>::min();
constexpr int kHighest = std::numeric_limits<std::int32_t>::max();

// A number of replicas within what is allowed, and what bounded it.
struct Bounded {
  int replicas;
  const char* reason;
  const char* message;
};

constexpr Bounded within_range(int replicas) {
  return {replicas, "DesiredWithinRange", "the desired count is within the acceptable range"};
}
constexpr Bounded too_many(int replicas) {
  return {replicas, "TooManyReplicas",
          "the desired replica count is more than the maximum replica count"};
}
constexpr Bounded too_few(int replicas) {
  return {replicas, "TooFewReplicas",
          "the desired replica count is less than the minimum replica count"};
}
constexpr Bounded too_fast_up(int replicas) {
  return {replicas, "ScaleUpLimit",
          "the desired replica count is increasing faster than the maximum scale rate"};
}
constexpr Bounded too_fast_down(int replicas) {
  return {replicas, "ScaleDownLimit",
          "the desired replica count is decreasing faster than the maximum scale rate"};
}

// Without a behavior.
Bounded bound(const HpaSpec& spec, int current, int desired) {
  const int rise = to_int32(std::max(2.0 * current, 4.0));
  const Bounded most = spec.max_replicas > rise ? too_fast_up(rise) : too_many(spec.max_replicas);
  if (desired < spec.min_replicas) return too_few(spec.min_replicas);
  return desired > most.replicas ? most : within_range(desired);
}

// The replicas at the beginning of a policy's period: those of now without what changed since.
int at_start(int current, const HpaPolicy& policy, const HpaMemory& memory, WallTime now) {
  const WallTime since = now - policy.period;
  std::int64_t replicas = current;
  for (const Event& event : memory.ups)
    if (event.time > since) replicas -= event.change;
  for (const Event& event : memory.downs)
    if (event.time > since) replicas += event.change;
  return to_int32(replicas);
}

int most_by(const HpaPolicy& policy, int start) {
  if (policy.type == HpaPolicy::Type::Pods) return to_int32(std::int64_t{start} + policy.value);
  // Rounded up: a small percentage of few must be able to add one.
  return to_int32(std::ceil(start * (1 + static_cast<double>(policy.value) / 100)));
}

int least_by(const HpaPolicy& policy, int start) {
  if (policy.type == HpaPolicy::Type::Pods) return to_int32(std::int64_t{start} - policy.value);
  return to_int32(start * (1 - static_cast<double>(policy.value) / 100));
}

// How far up the policies let the replicas go now.
int most_allowed(const HpaScalingRules& rules, int current, const HpaMemory& memory, WallTime now) {
  if (rules.select == HpaSelect::Disabled) return current;
  const bool least = rules.select == HpaSelect::Min;
  int result = least ? kHighest : kLowest;
  for (const HpaPolicy& policy : rules.policies) {
    const int most = most_by(policy, at_start(current, policy, memory, now));
    result = least ? std::min(result, most) : std::max(result, most);
  }
  return std::max(result, current);
}

// How far down.
int least_allowed(const HpaScalingRules& rules, int current, const HpaMemory& memory,
                  WallTime now) {
  if (rules.select == HpaSelect::Disabled) return current;
  const bool least = rules.select == HpaSelect::Min;  // the smallest change is the highest number
  int result = least ? kLowest : kHighest;
  for (const HpaPolicy& policy : rules.policies) {
    const int lowest = least_by(policy, at_start(current, policy, memory, now));
    result = least ? std::max(result, lowest) : std::min(result, lowest);
  }
  return std::min(result, current);
}

// With a behavior.
Bounded bound_by_policies(const HpaSpec& spec, int current, int desired, const HpaMemory& memory,
                          WallTime now) {
  if (desired > current) {
    const int allowed = most_allowed(spec.behavior->up, current, memory, now);
    const Bounded most =
        spec.max_replicas > allowed ? too_fast_up(allowed) : too_many(spec.max_replicas);
    if (desired > most.replicas) return most;
  } else if (desired < current) {
    const int allowed = least_allowed(spec.behavior->down, current, memory, now);
    const Bounded least =
        spec.min_replicas < allowed ? too_fast_down(allowed) : too_few(spec.min_replicas);
    if (desired < least.replicas) return least;
  }
  return within_range(desired);
}

// Puts `entry` in place of `old`, or behind the others where nothing is old.
template <typename Entry>
void remember(std::vector<Entry>& entries, Entry* old, const Entry& entry) {
  if (old != nullptr)
    *old = entry;
  else
    entries.push_back(entry);
}

// Without a behavior: the highest recommendation of the controller's window.
int stabilize(const HpaSettings& settings, int desired, HpaMemory& memory, WallTime now) {
  const WallTime since = now - settings.downscale_stabilization;
  int highest = desired;
  Recommendation* old = nullptr;
  for (Recommendation& past : memory.recommendations) {
    if (past.time < since)
      old = &past;
    else
      highest = std::max(highest, past.replicas);
  }
  remember(memory.recommendations, old, {desired, now});
  return highest;
}

// With a behavior: as little away from `current` as all recommendations of each direction's window
// agree on.
int stabilize_both(const HpaSpec& spec, const HpaSettings& settings, int current, int desired,
                   HpaMemory& memory, WallTime now) {
  const WallTime up_since = now - spec.behavior->up.window.value_or(Duration::zero());
  const WallTime down_since =
      now - spec.behavior->down.window.value_or(settings.downscale_stabilization);
  int lowest = desired;
  int highest = desired;
  Recommendation* old = nullptr;
  for (Recommendation& past : memory.recommendations) {
    if (past.time > up_since) lowest = std::min(lowest, past.replicas);
    if (past.time > down_since) highest = std::max(highest, past.replicas);
    if (past.time < up_since && past.time < down_since) old = &past;
  }
  remember(memory.recommendations, old, {desired, now});
  return std::min(std::max(current, lowest), highest);
}

HpaNormalized normalized(int stable, const Bounded& bounded) {
  HpaNormalized result;
  result.replicas = bounded.replicas;
  result.limited = bounded.replicas != stable;
  result.able_reason = "ReadyForNewScale";
  result.able_message = "recommended size matches current size";
  result.limit_reason = bounded.reason;
  result.limit_message = bounded.message;
  return result;
}

}  // namespace

void HpaMemory::begin(int replicas, WallTime now) {
  // A moment earlier than what the same sync recommends, as it is there: a window of zero must not
  // hold it.
  if (recommendations.empty()) recommendations.push_back({replicas, now - Duration(1)});
}

void HpaMemory::changed(const HpaSpec& spec, int from, int to, WallTime now) {
  if (!spec.behavior) return;
  const HpaScalingRules& rules = to > from ? spec.behavior->up : spec.behavior->down;
  std::vector<Event>& events = to > from ? ups : downs;
  Duration longest{};
  for (const HpaPolicy& policy : rules.policies) longest = std::max(longest, policy.period);
  Event* old = nullptr;
  for (Event& event : events) {
    event.outdated = event.outdated || event.time < now - longest;
    if (event.outdated) old = &event;
  }
  const std::int64_t change = std::int64_t{to} - from;
  remember(events, old, {to_int32(change > 0 ? change : -change), now, false});
}

HpaNormalized normalize(const HpaSpec& spec, const HpaSettings& settings, int current, int desired,
                        HpaMemory& memory, WallTime now) {
  constexpr const char* kHigher =
      "recent recommendations were higher than current one, applying the highest recent "
      "recommendation";
  constexpr const char* kLower =
      "recent recommendations were lower than current one, applying the lowest recent "
      "recommendation";
  if (!spec.behavior) {
    const int stable = stabilize(settings, desired, memory, now);
    HpaNormalized result = normalized(stable, bound(spec, current, stable));
    if (stable != desired) {
      result.able_reason = "ScaleDownStabilized";
      result.able_message = kHigher;
    }
    return result;
  }
  const int stable = stabilize_both(spec, settings, current, desired, memory, now);
  HpaNormalized result = normalized(stable, bound_by_policies(spec, current, stable, memory, now));
  if (stable != desired) {
    const bool up = desired >= current;
    result.able_reason = up ? "ScaleUpStabilized" : "ScaleDownStabilized";
    result.able_message = up ? kLower : kHigher;
  }
  return result;
}

}  // namespace mcpfleet::scaling
