#include "scaling/schedule.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::scaling {
namespace {

// On the straight line from the minimum, `ramp` before the beginning, to the schedule's replicas.
int on_ramp(int minimum, const Schedule& schedule, Duration left) {
  const double done =
      1 - static_cast<double>(left.count()) / static_cast<double>(schedule.ramp.count());
  const double rise = static_cast<double>(schedule.min_replicas) - minimum;
  return minimum + static_cast<int>(std::ceil(std::max(rise, 0.0) * done));
}

}  // namespace

const ScheduleTimes::Times& ScheduleTimes::times(std::size_t entry, const Schedule& schedule,
                                                 WallTime now) {
  auto& times = times_[entry];
  const bool valid = times && times->cron == schedule.cron && now >= times->from &&
                     (!times->next || now < *times->next);
  if (!valid) times = Times{schedule.cron, now, schedule.cron.last(now), schedule.cron.next(now)};
  return *times;
}

std::optional<Proposal> ScheduleTimes::propose(const Policy& policy, WallTime now) {
  std::optional<Proposal> best;
  const std::size_t count = std::min(policy.schedules.size(), kMaxSchedules);
  for (std::size_t i = 0; i < count; ++i) {
    const Schedule& schedule = policy.schedules[i];
    const Times& at = times(i, schedule, now);
    Proposal proposal{Recommender::Schedule};
    proposal.entry = static_cast<std::uint8_t>(i);
    if (at.last && now - *at.last < schedule.duration) {
      proposal.reason = Reason::Scheduled;
      proposal.replicas = schedule.min_replicas;
    } else if (at.next && *at.next - now < schedule.ramp) {
      proposal.reason = Reason::ScheduleRamp;
      proposal.replicas = on_ramp(policy.min_replicas, schedule, *at.next - now);
    } else {
      continue;
    }
    proposal.replicas = std::clamp(proposal.replicas, 0, kMostReplicas);
    if (!best || proposal.replicas > best->replicas) best = proposal;
  }
  return best;
}

}  // namespace mcpfleet::scaling
