// Answers that stay good for a while, by a text key; bounded.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "metrics-adapter/roster.h"

namespace mcpfleet::adapter {

// Thread safety: any thread.
template <typename T>
class TimedCache {
 public:
  TimedCache(Duration life, std::size_t capacity) : life_(life), capacity_(capacity) {}

  std::optional<T> get(std::string_view key, MonotonicTime now) const {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || now >= found->second.until) return std::nullopt;
    return found->second.value;
  }

  void put(std::string key, T value, MonotonicTime now) {
    std::lock_guard lock(mutex_);
    if (entries_.size() >= capacity_)
      std::erase_if(entries_, [now](const auto& entry) { return now >= entry.second.until; });
    // Still full of good ones: somebody asks for ever new things, and may ask again.
    if (entries_.size() >= capacity_) entries_.clear();
    entries_.insert_or_assign(std::move(key), Entry{std::move(value), now + life_});
  }

 private:
  struct Entry {
    T value;
    MonotonicTime until;
  };
  const Duration life_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
};

}  // namespace mcpfleet::adapter
