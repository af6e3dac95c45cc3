// The sessions of one server that this process knows of: those that began through it, and those
// that it saw being used. An id says where its session is; this is only for counting them.
//
//   auto pod = sessions.begin(tried, now, random);   // where the handshake goes
//   sessions.minted(*pod, key, now);                 // the answer had a session id
//   sessions.abandoned(*pod);                        // or: it had none, or there was no answer
//
// Pure: time and chance are arguments. Thread safety: none; one owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <span>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "routing/digest.h"
#include "routing/pod_set.h"
#include "routing/refusal.h"

namespace mcpfleet::routing {

class LiveSessions {
 public:
  // More are not remembered, the one that was used longest ago is forgotten: gateways that were
  // told of a larger limit pass sessions on to us, too.
  static constexpr std::size_t kMostRemembered = 100'000;
  // After how long to try again where there are too many: they end at any time.
  static constexpr Duration kRetry = std::chrono::seconds(5);

  // `pods` outlives this. `most`: how many there may be. `idle`: after how long without use one
  // counts no more.
  LiveSessions(PodSet& pods, int most, Duration idle) : pods_(pods), most_(most), idle_(idle) {}

  // Other limits from now on. Those that are there stay.
  void change(int most, Duration idle);

  // The pod for a new session, which counts there from now on, so that many that begin at once are
  // spread. Refusals: Sessions, and those of PodSet::choose().
  std::expected<PodId, Refusal> begin(std::span<const PodId> tried, MonotonicTime now,
                                      Random& random);
  // What came of it; one of the two for each begin().
  void minted(PodId pod, const SessionKey& key, MonotonicTime now);
  void abandoned(PodId pod);

  // A request of a session goes to its pod; where it was not known, it is now.
  void used(PodId pod, const SessionKey& key, MonotonicTime now);
  // While a stream or call of it is open a session is not idle. Each hold() has its release().
  void hold(const SessionKey& key);
  void release(const SessionKey& key, MonotonicTime now);
  // The client ended it, or its pod does not know it.
  void ended(const SessionKey& key);
  // Forgets those without use for longer than `idle`. Call it now and then.
  void expire(MonotonicTime now);
  // These pods are gone, and their sessions with them.
  void gone(std::span<const PodId> pods);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    SessionKey key;
    PodId pod;
    MonotonicTime last_use;
    std::uint32_t holds = 0;
  };
  using Order = std::list<Entry>;

  void add(PodId pod, const SessionKey& key, MonotonicTime now);
  void touch(Order::iterator entry, MonotonicTime now);
  void erase(Order::iterator entry);

  PodSet& pods_;
  int most_;
  Duration idle_;
  std::size_t beginning_ = 0;  // begin() without its end
  Order order_;                // the longest unused first
  std::unordered_map<SessionKey, Order::iterator, DigestHash> entries_;
};

}  // namespace mcpfleet::routing
