#include "scaling/load_window.h"

#include <algorithm>

namespace mcpfleet::scaling {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t since_1970(WallTime time) { return time.time_since_epoch().count(); }

std::int64_t divided_down(std::int64_t a, std::int64_t b) {
  return a / b - static_cast<std::int64_t>(a % b < 0);
}

std::int64_t divided_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

void LoadWindow::resize(Duration window) {
  if (window == asked_) return;
  asked_ = window;
  constexpr auto kSlotCount = static_cast<std::int64_t>(kSlots);
  // A slot of a week: nobody means more, and nothing overflows.
  const std::int64_t length = std::clamp(window.count(), kSecond, kSlotCount * 604'800 * kSecond);
  width_ = std::max(divided_up(length, kSlotCount), kSecond);
  used_ = divided_up(length, width_);
  clear();
}

void LoadWindow::clear() {
  slots_.fill({});
  started_ = false;
  place_ = 0;
  sum_ = 0;
  count_ = 0;
}

void LoadWindow::advance(WallTime now) {
  const std::int64_t time = since_1970(now);
  if (started_ && time >= newest_start_ && time - newest_start_ < width_) return;
  // A clock that is corrected by a little is no reason to forget.
  if (started_ && time < newest_start_ && newest_start_ - time <= 2 * width_) return;
  const std::int64_t slot = divided_down(time, width_);
  if (started_ && slot > newest_) {
    turn_to(slot);
  } else {
    clear();
    started_ = true;
  }
  newest_ = slot;
  newest_start_ = slot * width_;
}

void LoadWindow::turn_to(std::int64_t slot) {
  if (slot - newest_ >= used_) {
    clear();
    started_ = true;
    return;
  }
  for (std::int64_t i = newest_; i < slot; ++i) {
    place_ = place_ + 1 == static_cast<std::size_t>(used_) ? 0 : place_ + 1;
    Slot& oldest = slots_[place_];
    sum_ -= oldest.sum;
    count_ -= oldest.count;
    oldest = {};
    if (place_ == 0) sum_up();
  }
}

// Once a round: what adding and subtracting leaves behind must not grow.
void LoadWindow::sum_up() {
  sum_ = 0;
  for (std::int64_t i = 0; i < used_; ++i) sum_ += slots_[static_cast<std::size_t>(i)].sum;
}

void LoadWindow::add(WallTime at, double value) {
  std::size_t place = place_;
  if (const std::int64_t time = since_1970(at); time < newest_start_) {
    const std::int64_t back = divided_up(newest_start_ - time, width_);
    if (back >= used_) return;
    place = static_cast<std::size_t>((static_cast<std::int64_t>(place_) + used_ - back) % used_);
  }
  slots_[place].sum += value;
  ++slots_[place].count;
  sum_ += value;
  ++count_;
}

double LoadWindow::peak() const {
  double greatest = 0;
  for (std::int64_t i = 0; i < used_; ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(i)];
    if (slot.count > 0) greatest = std::max(greatest, slot.sum / slot.count);
  }
  return greatest;
}

}  // namespace mcpfleet::scaling
