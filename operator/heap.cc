#include "operator/heap.h"

#include <malloc.h>

namespace mcpfleet::op {
namespace {

constexpr std::chrono::seconds kInterval{20};
constexpr int kArenas = 2;
constexpr int kLargeBlock = 128 * 1024;

}  // namespace

void use_little_heap() {
  mallopt(M_ARENA_MAX, kArenas);
  // Set, it does not grow with the blocks that are freed.
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  mallopt(M_TRIM_THRESHOLD, kLargeBlock);
}

void HeapTrimmer::look(bool busy, MonotonicTime now) {
  worked_ = worked_ || busy;
  if (busy || !worked_ || now < next_) return;
  malloc_trim(0);
  worked_ = false;
  next_ = now + kInterval;
}

}  // namespace mcpfleet::op
