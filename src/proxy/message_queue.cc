#include "proxy/message_queue.h"

namespace mcpfleet::proxy {

void MessageQueue::push(Item item) {
  if (closed_) return;
  bytes_ += item.text.size();
  items_.push_back(std::move(item));
  filled_.cancel();
}

void MessageQueue::close() {
  closed_ = true;
  filled_.cancel();
  emptied_.cancel();
}

std::optional<MessageQueue::Item> MessageQueue::pop() {
  if (items_.empty()) return std::nullopt;
  Item item = std::move(items_.front());
  items_.pop_front();
  bytes_ -= item.text.size();
  if (!full()) emptied_.cancel();
  return item;
}

Task<> MessageQueue::wait_filled(MonotonicTime until) {
  error_code cancelled;
  while (items_.empty() && !closed_) {
    filled_.expires_at(until);
    co_await filled_.async_wait(caught(cancelled));
    if (!cancelled) co_return;  // it was not woken: the time has come
  }
}

Task<> MessageQueue::wait_room() {
  error_code ignored;
  while (full()) {
    emptied_.expires_at(Timer::time_point::max());
    co_await emptied_.async_wait(caught(ignored));
  }
}

}  // namespace mcpfleet::proxy
