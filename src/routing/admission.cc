#include "routing/admission.h"

#include <algorithm>

namespace mcpfleet::routing {
namespace {

// What the newest time between two ends counts.
constexpr double kNewest = 0.1;
// What is told before anything is known, and the most that is told: who would have to wait longer
// should look again all the same.
constexpr Duration kUnknown = std::chrono::seconds(1);
constexpr Duration kLongest = std::chrono::seconds(60);

}  // namespace

bool Admission::room() const {
  return in_flight_ < static_cast<std::uint32_t>(std::max(0, limits_.max_in_flight));
}

Answer Admission::ask(const CallerId& caller, MonotonicTime now) {
  if (room() && queue_.size() == 0) {
    ++in_flight_;
    return Admitted{};
  }
  std::optional<Ticket> displaced;
  if (queue_.size() >= static_cast<std::size_t>(std::max(0, limits_.max_queue))) {
    displaced = queue_.displace(caller);
    if (!displaced) return full();
  }
  const MonotonicTime deadline = now + limits_.queue_timeout;
  return Waiting{queue_.push(caller, deadline), deadline, displaced};
}

void Admission::done(MonotonicTime now) {
  if (in_flight_ > 0) --in_flight_;
  // Only while calls wait do ends tell how fast places come free.
  if (last_done_ && queue_.size() > 0) {
    const double seconds = std::max(0.0, std::chrono::duration<double>(now - *last_done_).count());
    seconds_between_ += seconds_between_ == 0 ? seconds : kNewest * (seconds - seconds_between_);
  }
  last_done_ = queue_.size() > 0 ? std::optional(now) : std::nullopt;
}

std::optional<Ticket> Admission::next(MonotonicTime now) {
  if (!room()) return std::nullopt;
  const auto ticket = queue_.pop(now);
  if (ticket) ++in_flight_;
  return ticket;
}

std::optional<Refusal> Admission::give_up(Ticket ticket) {
  if (!queue_.remove(ticket)) return std::nullopt;
  return Refusal{.limit = late_,
                 .value = limits_.max_in_flight,
                 .period = limits_.queue_timeout,
                 .retry_after = until_place()};
}

Refusal Admission::full() const {
  return {.limit = full_, .value = limits_.max_in_flight, .retry_after = until_place()};
}

Duration Admission::until_place() const {
  if (seconds_between_ == 0) return kUnknown;
  const double seconds = seconds_between_ * static_cast<double>(queue_.size() + 1);
  const double longest = std::chrono::duration<double>(kLongest).count();
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(seconds, longest)));
}

}  // namespace mcpfleet::routing
