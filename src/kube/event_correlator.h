// Which Events to write: the same thing again is counted, many similar things become one, and an
// object that will not be quiet is cut off.
//
// Pure: time is part of what happened. Source: client-go's tools/record/events_cache.go, whose
// numbers these are. Thread safety: none; one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/token_bucket.h"
#include "kube/events.h"

namespace mcpfleet::kube {

// Something to tell about an object.
struct Happening {
  ObjectReference object;
  EventType type = EventType::Normal;
  std::string reason;
  std::string message;
  WallTime time;     // for people
  MonotonicTime at;  // for decisions
};

// The `limit` values that were used last, by key.
template <typename Value>
class Recent {
 public:
  explicit Recent(std::size_t limit) : limit_(limit) {}

  // A new one where there is none.
  Value& at(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return order_.front().second;
    }
    if (order_.size() >= limit_) {
      by_key_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, Value{});
    by_key_[key] = order_.begin();
    return order_.front().second;
  }

 private:
  std::size_t limit_;
  std::list<std::pair<std::string, Value>> order_;  // newest first
  std::unordered_map<std::string, typename std::list<std::pair<std::string, Value>>::iterator>
      by_key_;
};

// An Event to write: made where `count` is 1, else patched.
struct EventWrite {
  std::string name;  // follows from what it says, so that the next process finds it again
  std::string message;
  int count = 1;
  bool operator==(const EventWrite&) const = default;
};

class EventCorrelator {
 public:
  static constexpr std::size_t kRemembered = 4096;  // objects, kinds of Events, Events
  // Ten messages of the same object, type and reason within ten minutes: from then on they are one
  // Event, with the latest of them.
  static constexpr std::size_t kSimilar = 10;
  static constexpr std::chrono::minutes kSimilarWithin{10};
  // Of an object: so many Events at once, then one in five minutes.
  static constexpr int kBurst = 25;
  static constexpr std::chrono::minutes kRefill{5};
  // What is said again sooner is counted, and written with the next that is not.
  static constexpr std::chrono::seconds kRepeat{10};

  // What to write about it; nothing where it is only counted.
  std::optional<EventWrite> observe(const Happening& what);
  // The Event `name` has this count in the API server: an earlier process had written it, or it has
  // expired since.
  void counted(const std::string& name, int count) { told_.at(name).count = count; }

 private:
  struct Similar {
    std::set<std::uint64_t> messages;
    std::optional<MonotonicTime> last;
  };
  struct Told {
    int count = 0;
    std::optional<MonotonicTime> written;
  };
  struct Quota {
    TokenBucket bucket{1.0 / std::chrono::duration<double>(kRefill).count(), kBurst};
  };
  bool combines(const Happening& what);

  Recent<Similar> similar_{kRemembered};
  Recent<Told> told_{kRemembered};
  Recent<Quota> quotas_{kRemembered};
};

}  // namespace mcpfleet::kube
