// Who waits for a place: each caller's calls in the order in which they came, and the callers in
// turn, so that one who sends a thousand calls delays another one's first by one call.
//
// Pure: time is an argument. Thread safety: none; one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "routing/digest.h"

namespace mcpfleet::routing {

// Names one who waits, for as long as it waits; no two are ever alike.
struct Ticket {
  std::uint32_t slot = 0;
  std::uint32_t life = 0;
  bool operator==(const Ticket&) const = default;
};

class FairQueue {
 public:
  FairQueue() = default;
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  // Waits until `deadline` from now on.
  Ticket push(const CallerId& caller, MonotonicTime deadline);
  // Whose turn it is: it waits no more. Of those whose deadline has passed it is nobody's turn;
  // they stay until remove().
  std::optional<Ticket> pop(MonotonicTime now);
  // It waits no more. False: it did not.
  bool remove(Ticket ticket);
  // Makes room for a call of `newcomer`: the newest call of the caller with most of them waits no
  // more, where that caller has more than the newcomer would then have. Else nobody.
  std::optional<Ticket> displace(const CallerId& newcomer);

  std::size_t size() const { return size_; }
  // How many callers wait.
  std::size_t callers() const { return lines_.size(); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Slot {
    std::uint32_t life = 0;
    bool waits = false;
    MonotonicTime deadline;
    CallerId caller;
    std::uint32_t before = kNone;  // of the same caller
    std::uint32_t after = kNone;   // likewise; of a free slot, the next free one
  };
  // The calls of one caller, and its place in the ring of callers.
  struct Line {
    CallerId caller;
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    std::size_t size = 0;
    Line* before = nullptr;
    Line* after = nullptr;
  };

  std::uint32_t take_slot();
  Line& line_of(const CallerId& caller);
  std::uint32_t first_alive(const Line& line, MonotonicTime now) const;
  void unlink(std::uint32_t number);
  void close(Line& line);

  std::vector<Slot> slots_;
  std::uint32_t free_ = kNone;
  std::unordered_map<CallerId, Line, DigestHash> lines_;  // its values stay where they are
  Line* turn_ = nullptr;                                  // whose turn it is; null: nobody waits
  std::size_t size_ = 0;
};

}  // namespace mcpfleet::routing
