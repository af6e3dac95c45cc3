#include "simulation/wait_window.h"

#include <gtest/gtest.h>

namespace mcpfleet::simulation {
namespace {

TEST(WaitWindow, QuantilesAreOfAllWhoEnded) {
  WaitWindow window;
  WaitSecond waits;
  waits.add(10, 0.5, 0.5);
  window.add(100, waits);
  EXPECT_EQ(window.ended(), 100);
  EXPECT_EQ(window.quantile(0.5), 0);
  EXPECT_EQ(window.quantile(0.9), 0);
  // The bucket of 0.5 s ends at 0.512 s.
  EXPECT_NEAR(window.quantile(0.95), 0.512, 1e-6);
}

TEST(WaitWindow, ALineOfWaitsIsSpreadOverTheBuckets) {
  WaitWindow window;
  WaitSecond waits;
  waits.add(100, 0, 1);
  window.add(100, waits);
  EXPECT_NEAR(window.quantile(0.5), 0.512, 1e-6);
  EXPECT_NEAR(window.quantile(0.95), 1.024, 1e-6);
}

TEST(WaitWindow, ForgetsAfterHalfAMinute) {
  WaitWindow window;
  WaitSecond waits;
  waits.add(100, 2, 3);
  window.add(100, waits);
  for (int second = 1; second < WaitWindow::kSeconds; ++second) {
    EXPECT_GT(window.quantile(0.95), 2);
    window.add(1, {});
  }
  window.add(1, {});
  EXPECT_EQ(window.quantile(0.95), 0);
  EXPECT_NEAR(window.ended(), WaitWindow::kSeconds, 1e-9);
}

}  // namespace
}  // namespace mcpfleet::simulation
