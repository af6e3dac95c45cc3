#include "kube/controller.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A reconcile that is asked for again while it runs, fails ten times, and then wants to come back.
struct Work {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::string> under_way;
  bool overlapped = false;
  int calls = 0;
  int errors = 0;

  Result<Next> run(WorkQueue& queue, const std::string& key) {
    begin(key);
    queue.add(key);
    return end(key);
  }
  void begin(const std::string& key) {
    std::lock_guard lock(mutex);
    overlapped |= !under_way.insert(key).second;
  }
  Result<Next> end(const std::string& key) {
    std::lock_guard lock(mutex);
    under_way.erase(key);
    changed.notify_all();
    if (++calls <= 10) return fail(ErrorKind::Unavailable, "not yet");
    return Next{milliseconds(1)};
  }
};

TEST(Controller, ComesAgainAfterFailuresAndOnDemandNeverTwiceAtOnce) {
  const SystemClock clock;
  WorkQueue queue(clock, {milliseconds(1), milliseconds(1)});
  Work work;
  {
    const Controller controller(
        queue, clock, 4, [&](const std::string& key) { return work.run(queue, key); },
        [&](const std::string&, const Result<Next>& result, Duration) {
          std::lock_guard lock(work.mutex);
          work.errors += result ? 0 : 1;
        });
    queue.add("a");
    queue.add("b");
    std::unique_lock lock(work.mutex);
    EXPECT_TRUE(work.changed.wait_for(lock, seconds(10), [&] { return work.calls > 100; }));
  }
  EXPECT_FALSE(work.overlapped);
  EXPECT_EQ(work.errors, 10);
}

TEST(Controller, WhatFailedOrAskedForItComesAgainByItself) {
  const SystemClock clock;
  WorkQueue queue(clock, {milliseconds(1), milliseconds(1)});
  std::mutex mutex;
  std::condition_variable changed;
  int calls = 0;
  const Controller controller(
      queue, clock, 1,
      [&](const std::string&) -> Result<Next> {
        std::lock_guard lock(mutex);
        changed.notify_all();
        if (++calls == 1) return fail(ErrorKind::Timeout, "once");
        if (calls == 2) return Next{milliseconds(1)};
        return Next{};
      },
      [](const std::string&, const Result<Next>&, Duration) {});
  queue.add("a");
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, seconds(10), [&] { return calls == 3; }));
}

}  // namespace
}  // namespace mcpfleet::kube
