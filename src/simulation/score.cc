#include "simulation/score.h"

#include <algorithm>

namespace mcpfleet::simulation {
namespace {

void count_calls(const Timeline& timeline, Score& score) {
  for (const Moment& moment : timeline.moments) {
    score.requests += moment.arrived;
    score.late += moment.late;
    score.lost += moment.lost;
    score.over_seconds += moment.over ? 1 : 0;
    score.peak_replicas = std::max(score.peak_replicas, moment.replicas);
  }
  if (!timeline.moments.empty()) score.unserved = timeline.moments.back().waiting;
}

void count_provisioning(const Timeline& timeline, const Plan& plan, Score& score) {
  for (std::size_t i = 0; i < timeline.moments.size(); ++i) {
    const double supply = timeline.moments[i].ready;
    // A second without any demand has no share to be measured in: it counts as one pod.
    const double demand = std::max(1, plan.serving[i]);
    score.under_accuracy += std::max(0.0, demand - supply) / demand;
    score.over_accuracy += std::max(0.0, supply - demand) / demand;
    score.under_time += supply < demand ? 1 : 0;
    score.over_time += supply > demand ? 1 : 0;
  }
  if (score.seconds <= 0) return;
  for (double* sum :
       {&score.under_accuracy, &score.over_accuracy, &score.under_time, &score.over_time})
    *sum /= score.seconds;
}

void count_changes(const Timeline& timeline, Score& score) {
  int direction = 0;
  for (std::size_t i = 1; i < timeline.moments.size(); ++i) {
    const int change = timeline.moments[i].replicas - timeline.moments[i - 1].replicas;
    if (change == 0) continue;
    const int now = change > 0 ? 1 : -1;
    ++score.changes;
    if (direction == -now) ++score.reversals;
    direction = now;
  }
}

void count_reactions(const Timeline& timeline, const Plan& plan, Score& score) {
  constexpr std::ptrdiff_t kNone = -1;
  std::ptrdiff_t since = kNone;  // the rise that nobody has answered yet
  bool enough = true;
  int before = timeline.moments.empty() ? 0 : timeline.moments.front().replicas;
  for (std::ptrdiff_t i = 0; i < std::ssize(timeline.moments); ++i) {
    const int replicas = timeline.moments[static_cast<std::size_t>(i)].replicas;
    const int demand = plan.serving[static_cast<std::size_t>(i)];
    if (since != kNone && replicas > before) {
      const auto took = static_cast<double>(i - since);
      ++score.answered;
      score.react_mean += took;
      score.react_worst = std::max(score.react_worst, took);
      since = kNone;
    }
    if (demand <= replicas) {
      enough = true;
      since = kNone;
    } else if (enough) {
      enough = false;
      ++score.rises;
      since = i;
    }
    before = replicas;
  }
  if (score.answered > 0) score.react_mean /= score.answered;
}

}  // namespace

Score score(const Timeline& timeline, const Plan& plan, double oracle_pod_seconds) {
  Score result;
  result.seconds = static_cast<double>(timeline.moments.size());
  result.pod_seconds = timeline.pod_seconds;
  result.oracle_pod_seconds = oracle_pod_seconds;
  count_calls(timeline, result);
  count_provisioning(timeline, plan, result);
  count_changes(timeline, result);
  count_reactions(timeline, plan, result);
  return result;
}

}  // namespace mcpfleet::simulation
