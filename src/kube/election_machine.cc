#include "kube/election_machine.h"

#include <algorithm>

namespace mcpfleet::kube {
namespace {

// Of a retry period.
constexpr double kJitter = 0.2;

}  // namespace

ElectionStep ElectionMachine::next(MonotonicTime now, WallTime wall) const {
  using Action = ElectionStep::Action;
  if (now < due_) return {Action::Wait, due_ - now, {}};
  if (known_ == Known::Nothing) return {Action::Read, Duration(0), {}};
  return {known_ == Known::Absent ? Action::Create : Action::Update, Duration(0), wanted(wall)};
}

LeaseRecord ElectionMachine::wanted(WallTime wall) const {
  LeaseRecord record;
  record.holder = identity_;
  record.duration = terms_.lease_duration;
  record.acquired = wall;
  record.renewed = wall;
  if (known_ == Known::Absent) return record;
  const auto& stored = *seen_.record();
  record.resource_version = stored.resource_version;
  const bool ours = stored.holder == identity_;
  record.transitions = stored.transitions + (ours ? 0 : 1);
  if (ours && stored.acquired) record.acquired = stored.acquired;
  return record;
}

bool ElectionMachine::held_by_another(MonotonicTime now) const {
  const auto& record = seen_.record();
  return record && !record->holder.empty() && record->holder != identity_ && !seen_.expired(now);
}

void ElectionMachine::read(LeaseRecord stored, MonotonicTime now, double jitter) {
  seen_.observe(std::move(stored), now);
  if (held_by_another(now)) return stand_by(now, jitter);
  known_ = Known::Free;
  due_ = now;
}

void ElectionMachine::absent(MonotonicTime now, double jitter) {
  // Its holder has not noticed yet, and may still write.
  if (held_by_another(now)) return stand_by(now, jitter);
  known_ = Known::Absent;
  due_ = now;
}

void ElectionMachine::stand_by(MonotonicTime now, double jitter) {
  renewed_.reset();
  retry(now, jitter);
  due_ = std::min(due_, seen_.expires_at());
}

void ElectionMachine::written(LeaseRecord stored, MonotonicTime sent, MonotonicTime now) {
  if (!leads(now)) ++term_;
  seen_.observe(std::move(stored), now);
  known_ = Known::Free;
  renewed_ = sent;
  due_ = now + terms_.retry_period;
}

void ElectionMachine::failed(const Error& error, MonotonicTime now, double jitter) {
  retry(now, jitter);
  if (!leads(now)) renewed_.reset();
  // Somebody wrote: who leads is not to be guessed for a whole period.
  if (renewed_ && error.kind == ErrorKind::Conflict) due_ = now;
}

void ElectionMachine::retry(MonotonicTime now, double jitter) {
  const Duration period = terms_.retry_period;
  known_ = Known::Nothing;
  due_ =
      now + period +
      Duration(static_cast<Duration::rep>(static_cast<double>(period.count()) * kJitter * jitter));
}

std::optional<LeaseRecord> ElectionMachine::release(WallTime wall) const {
  if (!renewed_ || !seen_.record()) return std::nullopt;
  LeaseRecord record = *seen_.record();
  record.holder.clear();
  record.renewed = wall;
  return record;
}

void ElectionMachine::released(MonotonicTime now) {
  renewed_.reset();
  retry(now, 0.0);
}

bool ElectionMachine::leads(MonotonicTime now) const { return renewed_ && now < *leads_until(); }

std::optional<MonotonicTime> ElectionMachine::leads_until() const {
  if (!renewed_) return std::nullopt;
  return *renewed_ + terms_.renew_deadline;
}

std::optional<MonotonicTime> ElectionMachine::holds_until() const {
  if (!renewed_) return std::nullopt;
  return *renewed_ + terms_.lease_duration;
}

}  // namespace mcpfleet::kube
