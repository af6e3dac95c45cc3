// The replicas that the schedules of a policy ask for at a time.
//
// Firings are looked up when one is passed, not each second. Pure: times are parameters. Nothing is
// allocated. Thread safety: one thread at a time.
#pragma once

#include <array>
#include <optional>

#include "base/clock.h"
#include "scaling/policy.h"
#include "scaling/proposal.h"

namespace mcpfleet::scaling {

class ScheduleTimes {
 public:
  // The greatest of the schedules that ask for something now; none where none does. With the same
  // number the first schedule of the policy speaks. Schedules from kMaxSchedules on do not count.
  std::optional<Proposal> propose(const Policy& policy, WallTime now);

 private:
  struct Times {
    Cron cron;
    WallTime from{};  // of the times below
    std::optional<WallTime> last;
    std::optional<WallTime> next;
  };
  const Times& times(std::size_t entry, const Schedule& schedule, WallTime now);

  std::array<std::optional<Times>, kMaxSchedules> times_;
};

}  // namespace mcpfleet::scaling
