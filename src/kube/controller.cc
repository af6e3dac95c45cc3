#include "kube/controller.h"

namespace mcpfleet::kube {

Controller::Controller(WorkQueue& queue, const Clock& clock, int workers, Reconcile reconcile,
                       Reconciled reconciled)
    : queue_(queue),
      clock_(clock),
      reconcile_(std::move(reconcile)),
      reconciled_(std::move(reconciled)) {
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

Controller::~Controller() {
  queue_.stop();
  for (auto& worker : workers_) worker.join();
}

void Controller::work() {
  while (const auto key = queue_.take()) {
    const auto began = clock_.monotonic();
    const auto result = reconcile_(*key);
    reconciled_(*key, result, clock_.monotonic() - began);
    if (!result) {
      queue_.add_failed(*key);
    } else {
      queue_.forget(*key);
      if (result->after) queue_.add_after(*key, *result->after);
    }
    queue_.done(*key);
  }
}

}  // namespace mcpfleet::kube
