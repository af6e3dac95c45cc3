// A few threads for calls that wait (the API server's answers), and a thread for what is done now
// and then.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace mcpfleet::adapter {

// Thread safety: submit() from any thread. The destructor drops what has not begun and joins.
class WorkerPool {
 public:
  using Task = std::function<void()>;
  WorkerPool(std::size_t threads, std::size_t max_waiting);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False where too much is waiting already; the task is then dropped.
  bool submit(Task task);

 private:
  void run();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> waiting_;  // protected by mutex_
  bool stopping_ = false;     // protected by mutex_
  std::vector<std::thread> threads_;
};

// Runs a task at once and then again and again, `pause()` after its end, until destroyed.
class Periodic {
 public:
  using Task = std::function<Duration()>;  // returns how long to wait until the next time
  explicit Periodic(Task task);
  ~Periodic();
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // protected by mutex_
  std::thread thread_;
};

}  // namespace mcpfleet::adapter
