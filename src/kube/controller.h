// Workers that bring objects to their wanted state, key by key.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/work_queue.h"

namespace mcpfleet::kube {

// What comes next for a key whose work is done: nothing until something changes, or again after a
// time.
struct Next {
  std::optional<Duration> after;
};

// Brings the object `key` to its wanted state from all that is known now, whatever woke it. Called
// from several threads, never for the same key at once. An error means: again after back-off.
using Reconcile = std::function<Result<Next>(const std::string& key)>;

// Told of each finished reconcile. For logs and metrics.
using Reconciled =
    std::function<void(const std::string& key, const Result<Next>& result, Duration took)>;

// Thread safety: construction and destruction from one thread. The destructor stops the queue and
// waits for the workers.
class Controller {
 public:
  Controller(WorkQueue& queue, const Clock& clock, int workers, Reconcile reconcile,
             Reconciled reconciled);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

 private:
  void work();

  WorkQueue& queue_;
  const Clock& clock_;
  const Reconcile reconcile_;
  const Reconciled reconciled_;
  std::vector<std::thread> workers_;
};

}  // namespace mcpfleet::kube
