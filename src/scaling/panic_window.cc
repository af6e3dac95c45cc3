#include "scaling/panic_window.h"

#include <algorithm>

namespace mcpfleet::scaling {

void PanicWindow::see(const Panic& panic, const Load& load, double target, const Pods& pods,
                      WallTime now) {
  const int there = std::max(pods.ready + pods.starting + pods.outdated, 1);
  const bool over = panic.threshold > 100 && load.surge * 100 >= panic.threshold * target * there;
  if (over) {
    if (!active_) peak_ = Proposal{Recommender::Panic};
    active_ = true;
    last_over_ = now;
  }
  if (!active_) return;
  const int asked = pods_for(load.greatest(), target);
  if (asked <= peak_.replicas) return;
  peak_ = Proposal{Recommender::Panic, Reason::Panicking, 1, 0, false, false, asked, target,
                   {load.input()}};
}

void PanicWindow::settle(const Panic& panic, WallTime now) {
  if (active_ && now - last_over_ >= panic.stable_window) active_ = false;
}

void PanicWindow::pull_back(WallTime now) { last_over_ = std::min(last_over_, now); }

}  // namespace mcpfleet::scaling
