// Which of some pods gets a new call, or a new session.
//
// Pure: chance is an argument. Thread safety: as the pods that are passed.
#pragma once

#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/random.h"
#include "fleet/gateway_settings.h"
#include "routing/pod.h"

namespace mcpfleet::routing {

enum class Purpose : std::uint8_t {
  Call,        // a request that stands alone
  NewSession,  // what begins here stays here
};

// The pod for `purpose` by settings.load_balancing.policy; `pods` has at least one. A pod that
// comes back from an ejection gets a share that grows.
//
//   PowerOfTwoChoices   Call: of two by chance the one with less to do, where ten sessions count as
//                       one call in flight. NewSession: the one of all that has fewest, where ten
//                       calls in flight count as one session; chance decides between equals. A
//                       session lives long, so that looking at all of them pays.
//   RoundRobin          each in turn
//   Weighted            each in turn as often as its weight says, evenly mixed (nginx's smooth
//                       weighted round robin)
//   LeastConnections    the one with fewest calls in flight and sessions, all alike
//   FastestResponse     the one with the least recent average time, multiplied by the calls that
//                       would be in flight; a pod without a time comes first. A time that is old
//                       counts less and less, so that a pod which was slow once is asked again.
//
// Only the two that go round change something: what they remember in Pod::turn.
Pod& choose_pod(const fleet::TrafficSettings& settings, Purpose purpose, std::span<Pod* const> pods,
                MonotonicTime now, Random& random);

}  // namespace mcpfleet::routing
