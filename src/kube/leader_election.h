// Leader election by a Lease: a thread that keeps trying to hold it, and the proof that a write
// may be sent.
//
// The decisions are in election_machine.h. Thread safety: all functions from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "kube/client.h"
#include "kube/election_machine.h"
#include "kube/events.h"

namespace mcpfleet::kube {

struct LeaderElectionOptions {
  std::string namespace_;
  std::string name;      // of the Lease
  std::string identity;  // of this candidate; unlike that of any other, in all its lives
  std::string field_manager;
  ElectionTerms terms;
};

class LeaderElector : public WriteGuard {
 public:
  // `client` is for the Lease alone: it must not ask this guard, nor wait behind other requests,
  // and its calls have to end well within the renew deadline. `changed` is called on the
  // elector's thread when it began or ceased to lead; it must not block. A leader that only runs
  // out of time is not told of: ask term().
  static std::unique_ptr<LeaderElector> start(Client& client, const Clock& clock,
                                              LeaderElectionOptions options,
                                              std::function<void()> changed);

  // 0 while it does not lead, else a number that is another one each time that it came to lead.
  virtual std::uint64_t term() const = 0;
  // The holder as last seen; empty: nobody.
  virtual std::string holder() const = 0;
  // For Events; its uid is empty before the Lease was seen.
  virtual ObjectReference lease() const = 0;

  // From now on it does not lead as far as term() and may_write() tell, but keeps the Lease, so
  // that what is under way can end.
  virtual void retire() = 0;
  // After retire(), once all writes have ended: gives the Lease up, so that another can take it at
  // once. Waits for the API server.
  virtual void release() = 0;
};

}  // namespace mcpfleet::kube
