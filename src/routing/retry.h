// Whether a call that failed may be sent once more, and when.
//
// Nothing may happen twice: only what no pod can have seen is repeated, or what by MCP's
// specification only reads. And an outage is not multiplied: a budget bounds the share of repeats.
//
// Pure: chance is an argument. Thread safety: none; one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "fleet/gateway_settings.h"
#include "routing/pod.h"

namespace mcpfleet::routing {

// A request of this method changes nothing at a server of any version of MCP, so that it may reach
// one twice: `ping`, `server/discover`, the lists, `resources/read`, `prompts/get`,
// `completion/complete`, `tasks/get`. Not `initialize`, which begins a session, not `tools/call`,
// whatever its tool says of itself (hints are not to be trusted), not `tasks/result`, which hands
// out waiting messages, nor what is not known.
bool safe_to_repeat(std::string_view method);

// How far a try came.
enum class Reached : std::uint8_t {
  Nothing,    // no byte of the request was written to a pod
  Refused,    // the pod said that it has not taken it, such as a sidecar that is about to end
  Written,    // a byte was written, and nothing of an answer was passed on
  Answering,  // the client has got a part of the answer
};

// A try that ended.
struct Attempt {
  int number = 1;  // which one it was
  Reached reached = Reached::Answering;
  Outcome outcome = Outcome::Success;
  bool safe = false;       // safe_to_repeat() for all that the request holds, and no notification
  bool other_pod = false;  // there is a pod that may take it and was not tried
  Duration time_left = Duration::max();  // of the call
};

// Whether the next try cannot make anything happen twice.
bool may_repeat(const Attempt& attempt);

// How many repeats there may be: at most `kReserve` and a share of the calls.
class RetryBudget {
 public:
  static constexpr double kShare = 0.2;
  static constexpr double kReserve = 10;

  // A call came; its repeats are none.
  void called() { left_ = left_ + kShare < kReserve ? left_ + kShare : kReserve; }
  // Takes a repeat out of the budget. False: there is none left.
  bool take();
  double left() const { return left_; }

 private:
  double left_ = kReserve;
};

// After how long to try again; nothing: the call has failed. Where nothing was written and another
// pod is there, at once; else settings.backoff, doubled with each try, and between half and one and
// a half of that by chance, so that callers do not come back all at once. Takes from the budget
// where it answers with a time.
std::optional<Duration> retry_after(const fleet::Retries& settings, const Attempt& attempt,
                                    RetryBudget& budget, Random& random);

}  // namespace mcpfleet::routing
