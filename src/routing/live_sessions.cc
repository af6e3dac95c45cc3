#include "routing/live_sessions.h"

#include <algorithm>

namespace mcpfleet::routing {

void LiveSessions::change(int most, Duration idle) {
  most_ = most;
  idle_ = idle;
}

std::expected<PodId, Refusal> LiveSessions::begin(std::span<const PodId> tried, MonotonicTime now,
                                                  Random& random) {
  if (entries_.size() + beginning_ >= static_cast<std::size_t>(std::max(0, most_)))
    return std::unexpected(
        Refusal{.limit = Limit::Sessions, .value = most_, .retry_after = kRetry});
  auto pod = pods_.choose(Purpose::NewSession, tried, now, random);
  if (!pod) return pod;
  ++beginning_;
  pods_.session_began(*pod);
  return pod;
}

void LiveSessions::minted(PodId pod, const SessionKey& key, MonotonicTime now) {
  abandoned(pod);
  used(pod, key, now);
}

void LiveSessions::abandoned(PodId pod) {
  if (beginning_ > 0) --beginning_;
  pods_.session_ended(pod);
}

void LiveSessions::used(PodId pod, const SessionKey& key, MonotonicTime now) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    touch(found->second, now);
  } else if (pods_.get(pod) != nullptr) {
    add(pod, key, now);
  }
}

void LiveSessions::add(PodId pod, const SessionKey& key, MonotonicTime now) {
  if (entries_.size() >= kMostRemembered) erase(order_.begin());
  order_.push_back({.key = key, .pod = pod, .last_use = now});
  entries_.emplace(key, std::prev(order_.end()));
  pods_.session_began(pod);
}

void LiveSessions::touch(Order::iterator entry, MonotonicTime now) {
  entry->last_use = now;
  order_.splice(order_.end(), order_, entry);
}

void LiveSessions::erase(Order::iterator entry) {
  pods_.session_ended(entry->pod);
  entries_.erase(entry->key);
  order_.erase(entry);
}

void LiveSessions::hold(const SessionKey& key) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) ++found->second->holds;
}

void LiveSessions::release(const SessionKey& key, MonotonicTime now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  if (found->second->holds > 0) --found->second->holds;
  touch(found->second, now);
}

void LiveSessions::ended(const SessionKey& key) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) erase(found->second);
}

void LiveSessions::expire(MonotonicTime now) {
  // Each is looked at once: one that is held goes to the end, from where it must not come again.
  for (auto left = order_.size(); left > 0 && order_.front().last_use + idle_ <= now; --left) {
    if (order_.front().holds > 0) {
      touch(order_.begin(), now);
    } else {
      erase(order_.begin());
    }
  }
}

void LiveSessions::gone(std::span<const PodId> pods) {
  if (pods.empty()) return;
  for (auto entry = order_.begin(); entry != order_.end();) {
    const auto one = entry++;
    if (std::ranges::find(pods, one->pod) != pods.end()) erase(one);
  }
}

}  // namespace mcpfleet::routing
