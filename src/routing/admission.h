// How many calls are in flight, of a server or by the connections of a pod, and who waits for that.
//
//   auto answer = admission.ask(caller, now);
//   Admitted: pass the call on, and when it has ended:
//     admission.done(now);
//     while (auto ticket = admission.next(now)) let it go on: it is in flight now
//   Waiting: wait until next() names the ticket, or until the deadline: admission.give_up(ticket),
//     or until the client goes away: admission.cancel(ticket)
//
// Pure: time is an argument. Thread safety: none; one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "fleet/gateway_settings.h"
#include "routing/fair_queue.h"
#include "routing/refusal.h"

namespace mcpfleet::routing {

struct Admitted {};
struct Waiting {
  Ticket ticket;
  MonotonicTime deadline;
  // Who had to make room, because its caller has most calls waiting: refuse it, by displaced().
  std::optional<Ticket> displaced = std::nullopt;
};
using Answer = std::variant<Admitted, Waiting, Refusal>;

class Admission {
 public:
  // `full`, `late`: what is told those for whom there is no place, and who waited too long.
  explicit Admission(fleet::Limits limits, Limit full = Limit::Queue, Limit late = Limit::QueueTime)
      : limits_(std::move(limits)), full_(full), late_(late) {}

  // Other limits from now on. Who is in flight or waits stays; where there is more room, next()
  // says who goes on. Of `limits`, rates and max_sessions do not matter here.
  void change(const fleet::Limits& limits) { limits_ = limits; }

  // A call wants to go to a pod. Nobody overtakes those who wait.
  Answer ask(const CallerId& caller, MonotonicTime now);
  // A call that was in flight has ended. Once for each.
  void done(MonotonicTime now);
  // Who is in flight from now on, where there is room. Ask until there is nobody: after done(),
  // change(), cancel().
  std::optional<Ticket> next(MonotonicTime now);
  // Its deadline has passed: it waits no more, and is told this. Nothing: it did not wait.
  std::optional<Refusal> give_up(Ticket ticket);
  // Its client went away. False: it did not wait; where next() has named it, done() is due.
  bool cancel(Ticket ticket) { return queue_.remove(ticket); }
  // What one who had to make room is told.
  Refusal displaced() const { return full(); }

  std::uint32_t in_flight() const { return in_flight_; }
  std::size_t queued() const { return queue_.size(); }

 private:
  bool room() const;
  Refusal full() const;
  Duration until_place() const;

  fleet::Limits limits_;
  Limit full_;
  Limit late_;
  std::uint32_t in_flight_ = 0;
  FairQueue queue_;
  // How fast places come free while calls wait.
  std::optional<MonotonicTime> last_done_;
  double seconds_between_ = 0;  // exponentially weighted; 0: not known
};

}  // namespace mcpfleet::routing
