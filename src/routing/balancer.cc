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

// A pod that comes back takes part only as often as its share says, by chance: to make it look
// busier instead would keep all calls from it where the others have nothing to do.
class Partaking {
 public:
  Partaking(const fleet::Ejection& settings, MonotonicTime now, Random& random)
      : settings_(settings), now_(now), random_(random) {}
  double share(const Pod& pod) const { return pod.ejection.weight(settings_, now_); }
  bool operator()(const Pod& pod) const {
    const double part = share(pod);
    return part >= 1 || random_.uniform() < part;
  }

 private:
  const fleet::Ejection& settings_;
  MonotonicTime now_;
  Random& random_;
};

// Who has the least cost; chance decides between equals. Null: nobody takes part.
template <typename TakesPart, typename Cost>
Pod* least(Pods pods, Random& random, TakesPart takes_part, Cost cost) {
  Pod* best = nullptr;
  double best_cost = 0;
  std::uint32_t equals = 1;
  for (Pod* pod : pods) {
    if (!takes_part(*pod)) continue;
    const double one = cost(*pod);
    if (best == nullptr || one < best_cost) {
      best = pod;
      best_cost = one;
      equals = 1;
    } else if (one == best_cost && random.below(++equals) == 0) {
      best = pod;
    }
  }
  return best;
}

template <typename Cost>
Pod& least_of(Pods pods, const Partaking& takes_part, Random& random, Cost cost) {
  if (Pod* pod = least(pods, random, takes_part, cost)) return *pod;
  return *least(pods, random, [](const Pod&) { return true; }, cost);
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

Pod& better_of_two(Pods pods, const Partaking& takes_part, Random& random) {
  const auto count = static_cast<std::uint32_t>(pods.size());
  if (count == 1) return *pods.front();
  const std::uint32_t first = random.below(count);
  const std::uint32_t other = random.below(count - 1);
  const std::array both{pods[first], pods[other < first ? other : other + 1]};
  return least_of(both, takes_part, random, call_load);
}

}  // namespace

Pod& choose_pod(const fleet::TrafficSettings& settings, Purpose purpose, Pods pods,
                MonotonicTime now, Random& random) {
  using Policy = fleet::LoadBalancingPolicy;
  const Partaking takes_part(settings.ejection, now, random);
  switch (settings.load_balancing.policy) {
    case Policy::PowerOfTwoChoices:
      return purpose == Purpose::Call ? better_of_two(pods, takes_part, random)
                                      : least_of(pods, takes_part, random, session_load);
    case Policy::RoundRobin:
      return in_turn(pods, [&](const Pod& pod) { return takes_part.share(pod); });
    case Policy::Weighted:
      return in_turn(pods, [&](const Pod& pod) { return pod.weight * takes_part.share(pod); });
    case Policy::LeastConnections:
      return least_of(pods, takes_part, random, connections);
    case Policy::FastestResponse:
      return least_of(pods, takes_part, random, [&, guess = guessed_seconds(pods)](const Pod& pod) {
        return expected_seconds(pod, guess, now);
      });
  }
  return *pods.front();
}

}  // namespace mcpfleet::routing
