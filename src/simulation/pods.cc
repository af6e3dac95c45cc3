#include "simulation/pods.h"

#include <algorithm>

namespace mcpfleet::simulation {

void Pods::scale(std::int64_t second, int replicas) {
  const int change = replicas - this->replicas();
  if (change > 0) {
    if (start_ == 0) {
      ready_ += change;
      return;
    }
    due_[slot(second + start_)] += change;
    starting_ += change;
    return;
  }
  int surplus = -change;
  for (std::int64_t at = second + start_; at > second && surplus > 0 && starting_ > 0; --at) {
    int& due = due_[slot(at)];
    const int removed = std::min(due, surplus);
    due -= removed;
    starting_ -= removed;
    surplus -= removed;
  }
  ready_ -= surplus;
  stopping_seconds_ += static_cast<double>(surplus) * stop_;
}

}  // namespace mcpfleet::simulation
