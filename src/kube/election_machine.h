// Who leads, by a Lease: a state machine without I/O.
//
// As client-go's leader election: a candidate takes a Lease that nobody holds, or whose holder has
// not renewed it for its duration, measured by the candidate's own monotonic clock; the leader
// renews it every retry period, and gives up once it has not succeeded for the renew deadline,
// which is shorter than the duration. Each write names the version that it replaces, so that two
// cannot both win. Different from client-go, a Lease that somebody deletes counts as held until
// it would have expired. Thread safety: none; one owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kube/lease.h"

namespace mcpfleet::kube {

// lease_duration > renew_deadline > retry_period; the duration in whole seconds. After a kill
// another leads within lease_duration + 1.2 * retry_period.
struct ElectionTerms {
  std::chrono::seconds lease_duration{12};
  std::chrono::milliseconds renew_deadline{8000};
  std::chrono::milliseconds retry_period{1000};
  bool operator==(const ElectionTerms&) const = default;
};

struct ElectionStep {
  enum class Action { Wait, Read, Create, Update };
  Action action = Action::Read;
  Duration wait{0};    // of a Wait
  LeaseRecord record;  // what to write; of an Update with the version that it replaces
  bool operator==(const ElectionStep&) const = default;
};

class ElectionMachine {
 public:
  // `identity` names this candidate among all, in all its lives.
  ElectionMachine(std::string identity, ElectionTerms terms)
      : identity_(std::move(identity)), terms_(terms) {}

  // What to do now; the answer is told by one of the functions below. `jitter` is a random number
  // in [0, 1), which spreads the candidates.
  ElectionStep next(MonotonicTime now, WallTime wall) const;
  void read(LeaseRecord stored, MonotonicTime now, double jitter);
  void absent(MonotonicTime now, double jitter);
  // A Create or Update that was sent at `sent` succeeded; `stored` is the API server's answer.
  void written(LeaseRecord stored, MonotonicTime sent, MonotonicTime now);
  void failed(const Error& error, MonotonicTime now, double jitter);

  // What gives the Lease up; nothing where it is not ours.
  std::optional<LeaseRecord> release(WallTime wall) const;
  void released(MonotonicTime now);

  // Leads until then, unless it renews the Lease; nothing where it does not lead.
  std::optional<MonotonicTime> leads_until() const;
  // When the Lease that it holds expires for others at the earliest: all that was sent under it has
  // to have ended by then.
  std::optional<MonotonicTime> holds_until() const;
  // Counts how often it became the leader.
  std::uint64_t term() const { return term_; }
  // As last seen; nothing: not known yet.
  const std::optional<LeaseRecord>& record() const { return seen_.record(); }

 private:
  enum class Known { Nothing, Absent, Free };

  LeaseRecord wanted(WallTime wall) const;
  void retry(MonotonicTime now, double jitter);
  bool leads(MonotonicTime now) const;
  bool held_by_another(MonotonicTime now) const;
  void stand_by(MonotonicTime now, double jitter);

  // Constant after construction.
  const std::string identity_;
  const ElectionTerms terms_;
  // The state.
  Known known_ = Known::Nothing;  // what a write can build on
  LeaseObservation seen_;
  MonotonicTime due_ = MonotonicTime::min();
  std::optional<MonotonicTime> renewed_;  // when the last successful write was sent; while leading
  std::uint64_t term_ = 0;
};

}  // namespace mcpfleet::kube
