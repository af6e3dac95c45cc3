#include "routing/balancer.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mcpfleet::routing {
namespace {

// What a session weighs for a call, and a call in flight for a new session.
constexpr double kLesser = 0.1;
// An average time counts half as much when it is this old.
constexpr double kHalfLifeSeconds = 10;

using Pods = std::span<Pod* const>;

double call_load(const Pod& pod) { return pod.stats.in_flight + kLesser * pod.stats.sessions; }

double session_load(const Pod& pod) { return pod.stats.sessions + kLesser * pod.stats.in_flight; }

double connections(const Pod& pod) { return pod.stats.in_flight + pod.stats.sessions; }

// The average time of a pod that was not measured yet: as of the others.
double guessed_seconds(Pods pods) {
  double sum = 0;
  int measured = 0;
  for (const Pod* pod : pods) {
    if (pod->stats.timed == 0) continue;
    sum += pod->stats.average_seconds;
    ++measured;
  }
  return measured == 0 ? 1 : sum / measured;
}

double expected_seconds(const Pod& pod, double guess, MonotonicTime now) {
  // Who was not measured is asked next, but by one call and not by all that come meanwhile.
  if (!pod.stats.last_use || pod.stats.timed == 0) return guess * pod.stats.in_flight;
  const double age = std::chrono::duration<double>(now - *pod.stats.last_use).count();
  return pod.stats.average_seconds * std::exp2(-std::max(0.0, age) / kHalfLifeSeconds) *
         (pod.stats.in_flight + 1);
}

// Who has the least cost; chance decides between equals.
template <typename Cost>
Pod& least(Pods pods, Random& random, Cost cost) {
  Pod* best = pods.front();
  double best_cost = cost(*best);
  std::uint32_t equals = 1;
  for (Pod* pod : pods.subspan(1)) {
    const double one = cost(*pod);
    if (one < best_cost) {
      best = pod;
      best_cost = one;
      equals = 1;
    } else if (one == best_cost && random.below(++equals) == 0) {
      best = pod;
    }
  }
  return *best;
}

// Each pod's turn grows by its weight; the one that is furthest goes, and falls behind by the sum.
template <typename Weight>
Pod& in_turn(Pods pods, Weight weight) {
  double sum = 0;
  Pod* best = nullptr;
  for (Pod* pod : pods) {
    const double one = weight(*pod);
    sum += one;
    pod->turn += one;
    if (best == nullptr || pod->turn > best->turn) best = pod;
  }
  best->turn -= sum;
  return *best;
}

Pod& better_of_two(Pods pods, const fleet::Ejection& ejection, MonotonicTime now, Random& random) {
  const auto count = static_cast<std::uint32_t>(pods.size());
  if (count == 1) return *pods.front();
  const std::uint32_t first = random.below(count);
  const std::uint32_t other = random.below(count - 1);
  const std::array both{pods[first], pods[other < first ? other : other + 1]};
  return least(both, random, [&](const Pod& pod) {
    return (call_load(pod) + 1) / pod.ejection.weight(ejection, now);
  });
}

}  // namespace

Pod& choose_pod(const fleet::TrafficSettings& settings, Purpose purpose, Pods pods,
                MonotonicTime now, Random& random) {
  using Policy = fleet::LoadBalancingPolicy;
  const auto share = [&](const Pod& pod) { return pod.ejection.weight(settings.ejection, now); };
  switch (settings.load_balancing.policy) {
    case Policy::PowerOfTwoChoices:
      if (purpose == Purpose::Call) return better_of_two(pods, settings.ejection, now, random);
      return least(pods, random, [&](const Pod& p) { return (session_load(p) + 1) / share(p); });
    case Policy::RoundRobin:
      return in_turn(pods, share);
    case Policy::Weighted:
      return in_turn(pods, [&](const Pod& p) { return p.weight * share(p); });
    case Policy::LeastConnections:
      return least(pods, random, [&](const Pod& p) { return (connections(p) + 1) / share(p); });
    case Policy::FastestResponse:
      return least(pods, random, [&, guess = guessed_seconds(pods)](const Pod& p) {
        return expected_seconds(p, guess, now) / share(p);
      });
  }
  return *pods.front();
}

}  // namespace mcpfleet::routing
