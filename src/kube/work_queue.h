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

// Told what happens in a queue, for metrics. Called with the queue locked: must not block, nor call
// the queue.
class WorkObserver {
 public:
  virtual ~WorkObserver() = default;
  virtual void added() = 0;                 // whether the key was waiting already or not
  virtual void retried() = 0;               // after a failure
  virtual void taken(Duration waited) = 0;  // by a worker, since it was added or its time came
  virtual void finished(Duration worked) = 0;
  // After each change: keys that are ready, and keys that workers have.
  virtual void load(std::size_t ready, std::size_t working) = 0;
};

class WorkQueue {
 public:
  // `observer` may be null; it must outlive the queue.
  explicit WorkQueue(const Clock& clock, Backoff backoff = {}, WorkObserver* observer = nullptr)
      : clock_(clock), backoff_(backoff), observer_(observer) {}

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

  // Wakes all who wait in take(), and forgets all keys that nobody has.
  void stop();

  // Keys that are ready and not yet taken.
  std::size_t depth() const;

 private:
  // All of these need the lock.
  void enqueue(const std::string& key, MonotonicTime since);
  void promote(MonotonicTime now);
  std::optional<std::string> take_locked();
  void schedule(const std::string& key, Duration delay);
  void tell_load() const;

  // Constant after construction.
  const Clock& clock_;
  const Backoff backoff_;
  WorkObserver* const observer_;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable ready_changed_;
  struct Ready {
    std::string key;
    MonotonicTime since;
  };
  std::deque<Ready> ready_;
  std::unordered_set<std::string> waiting_;               // in ready_
  std::unordered_map<std::string, MonotonicTime> taken_;  // when
  std::unordered_map<std::string, MonotonicTime> again_;  // added while taken: when
  std::multimap<MonotonicTime, std::string> later_;
  std::unordered_map<std::string, MonotonicTime> due_;  // of each key in later_
  std::unordered_map<std::string, int> failures_;
  bool stopped_ = false;
};

}  // namespace mcpfleet::kube
