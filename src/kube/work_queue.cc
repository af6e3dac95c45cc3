#include "kube/work_queue.h"

#include <algorithm>

namespace mcpfleet::kube {

void WorkQueue::tell_load() const {
  if (observer_ != nullptr) observer_->load(ready_.size(), taken_.size());
}

void WorkQueue::enqueue(const std::string& key, MonotonicTime since) {
  if (stopped_) return;
  if (taken_.contains(key)) {
    again_.emplace(key, since);
    return;
  }
  if (!waiting_.insert(key).second) return;
  ready_.push_back({key, since});
  tell_load();
  ready_changed_.notify_one();
}

void WorkQueue::add(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (observer_ != nullptr) observer_->added();
  enqueue(key, clock_.monotonic());
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
    if (observer_ != nullptr) observer_->added();
    enqueue(key, clock_.monotonic());
  } else {
    schedule(key, delay);
  }
}

void WorkQueue::add_failed(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (observer_ != nullptr) observer_->retried();
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
    if (observer_ != nullptr) observer_->added();
    enqueue(key, now);
  }
}

std::optional<std::string> WorkQueue::take_locked() {
  const auto now = clock_.monotonic();
  promote(now);
  if (ready_.empty()) return std::nullopt;
  Ready next = std::move(ready_.front());
  ready_.pop_front();
  waiting_.erase(next.key);
  taken_[next.key] = now;
  if (observer_ != nullptr) observer_->taken(now - next.since);
  tell_load();
  return std::move(next.key);
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
  const auto taken = taken_.find(key);
  if (taken == taken_.end()) return;
  if (observer_ != nullptr) observer_->finished(clock_.monotonic() - taken->second);
  taken_.erase(taken);
  tell_load();
  const auto again = again_.find(key);
  if (again == again_.end()) return;
  const auto since = again->second;
  again_.erase(again);
  enqueue(key, since);
}

void WorkQueue::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  ready_.clear();
  waiting_.clear();
  later_.clear();
  due_.clear();
  tell_load();
  ready_changed_.notify_all();
}

std::size_t WorkQueue::depth() const {
  std::lock_guard lock(mutex_);
  return ready_.size();
}

}  // namespace mcpfleet::kube
