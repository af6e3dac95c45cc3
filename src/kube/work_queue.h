// Keys of objects that want work: each key once, never by two workers at a time, failures later.
//
// First in, first out, so that a storm on one key cannot starve another. Thread safety: all
// functions from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/backoff.h"
#include "base/clock.h"

namespace mcpfleet::kube {

class WorkQueue {
 public:
  explicit WorkQueue(const Clock& clock, Backoff backoff = {}) : clock_(clock), backoff_(backoff) {}

  // Now; a key that a worker has comes again after done().
  void add(const std::string& key);
  // Later. Of several times the earliest counts; an add() meanwhile does not cancel it.
  void add_after(const std::string& key, Duration delay);
  // After the key's back-off, which grows with each failure in a row until forget().
  void add_failed(const std::string& key);
  void forget(const std::string& key);

  // The next key, which is then this worker's until done(); nothing when none is ready.
  std::optional<std::string> try_take();
  // As try_take(), and waits; nothing once stop() was called.
  std::optional<std::string> take();
  void done(const std::string& key);

  // Wakes all who wait in take().
  void stop();

  // Keys that are ready and not yet taken.
  std::size_t depth() const;

 private:
  void enqueue(const std::string& key);      // needs the lock
  void promote(MonotonicTime now);           // needs the lock
  std::optional<std::string> take_locked();  // needs the lock
  void schedule(const std::string& key, Duration delay);

  // Constant after construction.
  const Clock& clock_;
  const Backoff backoff_;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable ready_changed_;
  std::deque<std::string> ready_;
  std::unordered_set<std::string> waiting_;  // in ready_
  std::unordered_set<std::string> taken_;
  std::unordered_set<std::string> again_;  // added while taken
  std::multimap<MonotonicTime, std::string> later_;
  std::unordered_map<std::string, MonotonicTime> due_;  // of each key in later_
  std::unordered_map<std::string, int> failures_;
  bool stopped_ = false;
};

}  // namespace mcpfleet::kube
