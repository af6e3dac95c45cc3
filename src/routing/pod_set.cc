#include "routing/pod_set.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/hash.h"

namespace mcpfleet::routing {
namespace {

using Name = std::tuple<std::string_view, std::string_view>;

Name name_of(const Pod* pod) { return {pod->endpoint.pod, pod->endpoint.address}; }

// Where in the interval a pod is checked: spread over the pods, and the same at each start.
double share_of(const Endpoint& endpoint) {
  return static_cast<double>(hash_text(endpoint.address, hash_text(endpoint.pod)) >> 11) * 0x1p-53;
}

bool takes_new(const Pod& pod) { return pod.endpoint.ready && !pod.draining; }

bool was_tried(const Pod& pod, std::span<const PodId> tried) {
  return std::ranges::find(tried, pod.id) != tried.end();
}

bool untried(std::span<Pod* const> pods, std::span<const PodId> tried) {
  return std::ranges::any_of(pods, [&](const Pod* pod) { return !was_tried(*pod, tried); });
}

}  // namespace

PodSet::PodSet(fleet::TrafficSettings settings, std::uint32_t max_sessions)
    : settings_(std::move(settings)), max_sessions_(max_sessions) {}

void PodSet::change(const fleet::TrafficSettings& settings, std::uint32_t max_sessions,
                    MonotonicTime now) {
  settings_ = settings;
  max_sessions_ = max_sessions;
  for (Pod* pod : by_name_) {
    pod->weight = weight_of(pod->endpoint);
    pod->health.change(settings_.health, now);
  }
  find_next_check();
}

PodSet::Changes PodSet::update(std::span<const Endpoint> endpoints, MonotonicTime now) {
  Changes changes;
  std::vector<Pod*> kept;
  for (const Endpoint& endpoint : endpoints) {
    if (Pod* pod = find_mutable(endpoint.pod, endpoint.address)) {
      adopt(*pod, endpoint, now);
      kept.push_back(pod);
    } else {
      kept.push_back(&add(endpoint, now));
      changes.added.push_back(kept.back()->id);
    }
  }
  std::ranges::sort(kept, {}, name_of);
  for (const Pod* pod : std::exchange(by_name_, std::move(kept))) {
    if (std::ranges::binary_search(by_name_, name_of(pod), {}, name_of)) continue;
    changes.removed.push_back(pod->id);
    free_.push_back(pod->id.slot);
    slots_[pod->id.slot].pod = nullptr;
  }
  look_again_ = MonotonicTime::min();
  find_next_check();
  return changes;
}

Pod& PodSet::add(const Endpoint& endpoint, MonotonicTime now) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  Slot& slot = slots_[number];
  slot.pod = std::make_unique<Pod>();
  slot.pod->id = {number, ++slot.life};
  slot.pod->endpoint = endpoint;
  slot.pod->weight = weight_of(endpoint);
  slot.pod->health.begin(settings_.health, share_of(endpoint), now);
  return *slot.pod;
}

void PodSet::adopt(Pod& pod, const Endpoint& endpoint, MonotonicTime now) {
  // Kubernetes has found it ready just now, which is newer than what we know.
  if (endpoint.ready && !pod.endpoint.ready) {
    pod.draining = false;
    pod.health.begin(settings_.health, share_of(endpoint), now);
  }
  pod.endpoint = endpoint;
  pod.weight = weight_of(endpoint);
}

int PodSet::weight_of(const Endpoint& endpoint) const {
  const auto& weights = settings_.load_balancing.weights;
  const auto found = std::ranges::find(weights, endpoint.zone, &fleet::ZoneWeight::zone);
  return found == weights.end() ? 1 : std::max(1, found->weight);
}

void PodSet::look(MonotonicTime now) {
  if (now < look_again_) return;
  up_.clear();
  ready_.clear();
  ending_.clear();
  look_again_ = MonotonicTime::max();
  for (Pod* pod : by_name_) {
    if (!takes_new(*pod)) {
      if (pod->endpoint.serving) ending_.push_back(pod);
      continue;
    }
    ready_.push_back(pod);
    if (pod->up(now)) up_.push_back(pod);
    if (pod->ejection.ejected(now)) look_again_ = std::min(look_again_, pod->ejection.until());
  }
}

std::span<Pod* const> PodSet::candidates(Purpose purpose, MonotonicTime now) {
  look(now);
  if (!up_.empty()) return up_;
  if (!ready_.empty() || purpose == Purpose::NewSession) return ready_;
  return ending_;
}

// Those of `pods`, which may be some_ itself, that `wanted` takes.
template <typename Wanted>
void PodSet::keep_some(std::span<Pod* const> pods, Wanted wanted) {
  std::size_t kept = 0;
  if (some_.size() < pods.size()) some_.resize(pods.size());
  for (Pod* pod : pods)
    if (wanted(*pod)) some_[kept++] = pod;
  some_.resize(kept);
}

std::expected<PodId, Refusal> PodSet::choose(Purpose purpose, std::span<const PodId> tried,
                                             MonotonicTime now, Random& random) {
  const auto refuse = [&](Limit limit, std::int64_t value) {
    return std::unexpected(Refusal{.limit = limit, .value = value, .retry_after = kNoPodRetry});
  };
  auto pods = candidates(purpose, now);
  if (pods.empty()) return refuse(by_name_.empty() ? Limit::NoPods : Limit::NoneReady, 0);
  if (purpose == Purpose::NewSession && max_sessions_ > 0) {
    keep_some(pods, [&](const Pod& pod) { return pod.stats.sessions < max_sessions_; });
    if (some_.empty()) return refuse(Limit::PodSessions, max_sessions_);
    pods = some_;
  }
  if (!tried.empty() && untried(pods, tried)) {
    keep_some(pods, [&](const Pod& pod) { return !was_tried(pod, tried); });
    pods = some_;
  }
  const Pod& first = choose_pod(settings_, purpose, pods, now, random);
  if (has_connection(first)) return first.id;
  keep_some(pods, [&](const Pod& pod) { return has_connection(pod); });
  return some_.empty() ? first.id : choose_pod(settings_, purpose, some_, now, random).id;
}

// Whether a call there need not wait for a connection.
bool PodSet::has_connection(const Pod& pod) const {
  return pod.stats.in_flight <
         static_cast<std::uint32_t>(settings_.connection_pool.max_connections);
}

bool PodSet::other_than(std::span<const PodId> tried, Purpose purpose, MonotonicTime now) {
  return untried(candidates(purpose, now), tried);
}

const Pod* PodSet::get(PodId id) const { return find_mutable(id); }

Pod* PodSet::find_mutable(PodId id) const {
  if (id.slot >= slots_.size() || slots_[id.slot].life != id.life) return nullptr;
  return slots_[id.slot].pod.get();
}

Pod* PodSet::find_mutable(std::string_view pod, std::string_view address) const {
  const Name name{pod, address};
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  return found == by_name_.end() || name_of(*found) != name ? nullptr : *found;
}

std::optional<PodId> PodSet::find(std::string_view pod, std::string_view address) const {
  const Pod* found = find_mutable(pod, address);
  return found == nullptr ? std::nullopt : std::optional(found->id);
}

PodSet::Counts PodSet::counts(MonotonicTime now) const {
  Counts counts;
  for (const Pod* pod : by_name_) {
    if (!takes_new(*pod)) continue;
    ++counts.ready;
    if (pod->up(now)) ++counts.up;
  }
  return counts;
}

void PodSet::begin(PodId id, MonotonicTime now) {
  if (Pod* pod = find_mutable(id)) pod->stats.began(now);
}

std::optional<Duration> PodSet::end(PodId id, Outcome outcome, Duration took, MonotonicTime now) {
  Pod* pod = find_mutable(id);
  if (pod == nullptr) return std::nullopt;
  pod->stats.ended(outcome, took, now);
  if (!is_failure(outcome)) {
    if (outcome != Outcome::Cancelled) pod->ejection.succeeded();
    return std::nullopt;
  }
  if (!pod->ejection.failed(settings_.ejection, now) || !may_eject(now)) return std::nullopt;
  look_again_ = MonotonicTime::min();
  return pod->ejection.eject(settings_.ejection, now);
}

bool PodSet::may_eject(MonotonicTime now) const {
  std::int64_t ready = 0;
  std::int64_t ejected = 0;
  for (const Pod* pod : by_name_) {
    if (!pod->endpoint.ready) continue;
    ++ready;
    if (pod->ejection.ejected(now)) ++ejected;
  }
  const std::int64_t share = ready * settings_.ejection.max_percent / 100;
  // Of two or more pods one may always go, or a small share would protect every broken pod.
  const std::int64_t most = std::max<std::int64_t>(share, ready > 1 ? 1 : 0);
  return ejected < most;
}

void PodSet::session_began(PodId id) {
  if (Pod* pod = find_mutable(id)) ++pod->stats.sessions;
}

void PodSet::session_ended(PodId id) {
  Pod* pod = find_mutable(id);
  if (pod != nullptr && pod->stats.sessions > 0) --pod->stats.sessions;
}

void PodSet::set_draining(PodId id) {
  Pod* pod = find_mutable(id);
  if (pod == nullptr) return;
  pod->draining = true;
  look_again_ = MonotonicTime::min();
}

void PodSet::find_next_check() {
  next_check_ = MonotonicTime::max();
  for (const Pod* pod : by_name_)
    if (pod->endpoint.ready) next_check_ = std::min(next_check_, pod->health.due());
}

std::optional<PodId> PodSet::take_check(MonotonicTime now) {
  if (now < next_check_) return std::nullopt;
  for (Pod* pod : by_name_) {
    if (!pod->endpoint.ready || pod->health.due() > now) continue;
    pod->health.started();
    find_next_check();
    return pod->id;
  }
  return std::nullopt;
}

bool PodSet::checked(PodId id, const CheckResult& result, MonotonicTime now) {
  Pod* pod = find_mutable(id);
  if (pod == nullptr) return false;
  const bool changed = pod->health.told(settings_.health, result, now);
  if (result.draining) pod->draining = *result.draining;
  if (result.sessions) pod->stats.sessions = *result.sessions;
  look_again_ = MonotonicTime::min();
  find_next_check();
  return changed;
}

}  // namespace mcpfleet::routing
