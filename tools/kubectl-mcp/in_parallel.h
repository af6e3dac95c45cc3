// Calls that wait for a network, several at once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace mcpfleet::kubectl {

// Calls work(i) for each i below `count`, on at most eight threads, and returns when all are done.
// `work` may be called from any of them and must not throw.
template <typename Work>
void in_parallel(std::size_t count, const Work& work) {
  constexpr std::size_t kThreads = 8;
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(count, kThreads); ++i) {
    threads.emplace_back([&] {
      for (std::size_t mine = next++; mine < count; mine = next++) work(mine);
    });
  }
}

}  // namespace mcpfleet::kubectl
