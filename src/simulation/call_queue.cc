#include "simulation/call_queue.h"

#include <algorithm>

namespace mcpfleet::simulation {
namespace {

// Below this a difference is rounding: of calls, and of seconds.
constexpr double kNothing = 1e-9;

}  // namespace

CallQueue::CallQueue(const Workload& workload)
    : allowed_wait_(workload.objective.wait_seconds(workload.pod) + kNothing),
      allowed_misses_(1 - workload.objective.share),
      timeout_(workload.objective.timeout_seconds),
      hopeless_(allowed_wait_ < 0) {}

double CallQueue::oldest() const {
  if (waiting_ == 0) return 0;
  for (std::int64_t second = head_; second < second_; ++second) {
    const Cohort& first = cohort(second);
    if (first.arrived - first.gone <= kNothing) continue;
    return static_cast<double>(second_ - second) - first.gone / first.arrived;
  }
  return 0;
}

CallSecond CallQueue::queued_step(double arrivals, double capacity) {
  CallSecond result;
  if (waits_.any) waits_ = {};
  if (waiting_ == 0) head_ = second_;
  cohort(second_) = {arrivals, 0};
  waiting_ += arrivals;
  give_up(result);
  waits_.add(result.lost, timeout_, timeout_);
  Cursor cursor{static_cast<double>(second_), static_cast<double>(second_ + 1), capacity};
  if (capacity > 0) {
    while (head_ < second_ && cursor.now < cursor.end) serve_old(cursor, result);
    if (head_ == second_ && cursor.now < cursor.end) serve_new(cursor, result);
  }
  ++second_;
  waiting_ = std::max(0.0, waiting_ - result.served - result.lost);
  if (waiting_ < kNothing) {
    result.served += waiting_;  // rounding: nothing that came is forgotten
    waiting_ = 0;
    head_ = second_;
  }
  judge(result);
  return result;
}

// Callers look at their clock once a second: whoever came before the timeout goes.
void CallQueue::give_up(CallSecond& result) {
  const double limit = static_cast<double>(second_) - timeout_;
  while (head_ < second_) {
    Cohort& first = cohort(head_);
    const double came = static_cast<double>(head_);
    const double share = std::clamp(limit - came, 0.0, 1.0);
    const double gone = std::max(first.gone, first.arrived * share);
    result.lost += gone - first.gone;
    first.gone = gone;
    if (first.arrived - first.gone > kNothing) return;
    result.lost += first.arrived - first.gone;
    ++head_;
  }
}

// Those of a second that is over, or as many as there is time for.
void CallQueue::serve_old(Cursor& cursor, CallSecond& result) {
  Cohort& first = cohort(head_);
  const double left = first.arrived - first.gone;
  if (left <= kNothing) {
    result.served += std::max(0.0, left);
    ++head_;
    return;
  }
  const double count = std::min(left, cursor.capacity * (cursor.end - cursor.now));
  const double came = static_cast<double>(head_) + first.gone / first.arrived;
  const double then = cursor.now + count / cursor.capacity;
  leave(count, cursor.now - came, then - (came + count / first.arrived), result);
  first.gone += count;
  cursor.now = then;
  if (count < left) {
    cursor.now = cursor.end;
  } else {
    ++head_;
  }
}

// Those who come while this second lasts: behind others, until it has caught up with them.
void CallQueue::serve_new(Cursor& cursor, CallSecond& result) {
  Cohort& current = cohort(second_);
  const double rate = current.arrived;
  if (rate <= 0) return;
  const double begin = static_cast<double>(second_);
  const double ahead = rate * (cursor.now - begin);
  const double spare = cursor.capacity - rate;
  const double left = cursor.end - cursor.now;
  const double busy = spare > 0 ? std::min(left, ahead / spare) : left;
  const double count = std::min(cursor.capacity * busy, rate);
  const double then = cursor.now + count / cursor.capacity;
  if (count > 0) leave(count, cursor.now - begin, then - (begin + count / rate), result);
  current.gone += count;
  if (busy < left) {
    leave(rate - current.gone, 0, 0, result);
    current.gone = rate;
  }
  cursor.now = cursor.end;
}

void CallQueue::leave(double count, double first, double last, CallSecond& result) {
  first = std::max(first, 0.0);
  last = std::max(last, 0.0);
  result.served += count;
  result.wait_sum += count * (first + last) / 2;
  const auto [low, high] = std::minmax(first, last);
  result.worst_wait = std::max(result.worst_wait, high);
  waits_.add(count, low, high);
  if (high <= allowed_wait_) return;
  const double share = low >= allowed_wait_ ? 1 : (high - allowed_wait_) / (high - low);
  result.late += count * share;
}

void CallQueue::judge(CallSecond& result) const {
  const double left = result.served + result.lost;
  if (left > kNothing) {
    result.over = result.late + result.lost > allowed_misses_ * left + kNothing;
  } else {
    result.over = oldest() > allowed_wait_;
  }
}

}  // namespace mcpfleet::simulation
