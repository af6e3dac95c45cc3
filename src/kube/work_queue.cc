#include "kube/work_queue.h"

#include <algorithm>

namespace mcpfleet::kube {

void WorkQueue::enqueue(const std::string& key) {
  if (taken_.contains(key)) {
    again_.insert(key);
    return;
  }
  if (!waiting_.insert(key).second) return;
  ready_.push_back(key);
  ready_changed_.notify_one();
}

void WorkQueue::add(const std::string& key) {
  std::lock_guard lock(mutex_);
  enqueue(key);
}

void WorkQueue::schedule(const std::string& key, Duration delay) {
  const MonotonicTime at = clock_.monotonic() + delay;
  const auto known = due_.find(key);
  if (known != due_.end()) {
    if (known->second <= at) return;
    const auto [begin, end] = later_.equal_range(known->second);
    later_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == key; }));
  }
  due_[key] = at;
  later_.emplace(at, key);
  // A worker may be waiting for a later time.
  ready_changed_.notify_one();
}

void WorkQueue::add_after(const std::string& key, Duration delay) {
  std::lock_guard lock(mutex_);
  if (delay <= Duration(0)) {
    enqueue(key);
  } else {
    schedule(key, delay);
  }
}

void WorkQueue::add_failed(const std::string& key) {
  std::lock_guard lock(mutex_);
  schedule(key, backoff_.delay(++failures_[key]));
}

void WorkQueue::forget(const std::string& key) {
  std::lock_guard lock(mutex_);
  failures_.erase(key);
}

void WorkQueue::promote(MonotonicTime now) {
  while (!later_.empty() && later_.begin()->first <= now) {
    const std::string key = later_.begin()->second;
    later_.erase(later_.begin());
    due_.erase(key);
    enqueue(key);
  }
}

std::optional<std::string> WorkQueue::take_locked() {
  promote(clock_.monotonic());
  if (ready_.empty()) return std::nullopt;
  std::string key = std::move(ready_.front());
  ready_.pop_front();
  waiting_.erase(key);
  taken_.insert(key);
  return key;
}

std::optional<std::string> WorkQueue::try_take() {
  std::lock_guard lock(mutex_);
  return take_locked();
}

std::optional<std::string> WorkQueue::take() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (auto key = take_locked()) return key;
    if (later_.empty()) {
      ready_changed_.wait(lock);
    } else {
      ready_changed_.wait_for(lock, later_.begin()->first - clock_.monotonic());
    }
  }
  return std::nullopt;
}

void WorkQueue::done(const std::string& key) {
  std::lock_guard lock(mutex_);
  taken_.erase(key);
  if (again_.erase(key) > 0) enqueue(key);
}

void WorkQueue::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  ready_changed_.notify_all();
}

std::size_t WorkQueue::depth() const {
  std::lock_guard lock(mutex_);
  return ready_.size();
}

}  // namespace mcpfleet::kube
