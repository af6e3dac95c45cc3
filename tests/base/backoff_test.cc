#include "base/backoff.h"

#include <gtest/gtest.h>

namespace mcpfleet {
namespace {

using namespace std::chrono_literals;

TEST(BackoffTest, DoublesUpToTheCeiling) {
  const Backoff backoff{.base = 50ms, .ceiling = 1s};
  EXPECT_EQ(backoff.delay(1), 50ms);
  EXPECT_EQ(backoff.delay(2), 100ms);
  EXPECT_EQ(backoff.delay(5), 800ms);
  EXPECT_EQ(backoff.delay(6), 1s);
  EXPECT_EQ(backoff.delay(1000), 1s);
  EXPECT_EQ(backoff.delay(0), 50ms);
}

}  // namespace
}  // namespace mcpfleet
