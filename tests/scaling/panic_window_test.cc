#include "scaling/panic_window.h"

#include <gtest/gtest.h>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;

class PanicWindowTest : public testing::Test {
 protected:
  void see(double surge, const Pods& pods) {
    now_ += seconds(1);
    Load load;
    load.surge = surge;
    window_.see(panic_, load, 50, pods, now_);
    window_.settle(panic_, now_);
  }
  Panic panic_;
  PanicWindow window_;
  WallTime now_ = kMorning;
};

TEST_F(PanicWindowTest, BeginsAtTheThreshold) {
  see(399, ready_pods(4));
  EXPECT_FALSE(window_.active());
  see(400, ready_pods(4));
  ASSERT_TRUE(window_.active());
  EXPECT_EQ(window_.proposal().replicas, 8);
  EXPECT_EQ(window_.proposal().reason, Reason::Panicking);
}

TEST_F(PanicWindowTest, PodsThatStartAreNotAskedForAgain) {
  see(450, {.wanted = 9, .ready = 4, .starting = 5});
  EXPECT_FALSE(window_.active());
  see(900, {.wanted = 9, .ready = 4, .starting = 5});
  EXPECT_TRUE(window_.active());
}

TEST_F(PanicWindowTest, ARolloutIsNoPanic) {
  see(450, {.wanted = 9, .ready = 3, .starting = 1, .outdated = 6});
  EXPECT_FALSE(window_.active());
}

TEST_F(PanicWindowTest, TheGreatestAnswerHoldsUntilAStableWindowAfter) {
  see(400, ready_pods(4));
  see(700, ready_pods(4));
  see(450, ready_pods(4));
  EXPECT_EQ(window_.proposal().replicas, 14);
  for (int i = 0; i < 59; ++i) see(10, ready_pods(14));
  EXPECT_TRUE(window_.active());
  EXPECT_EQ(window_.proposal().replicas, 14);
  see(10, ready_pods(14));
  EXPECT_FALSE(window_.active());
  see(1400, ready_pods(14));
  EXPECT_EQ(window_.proposal().replicas, 28) << "the next one knows nothing of the first";
}

TEST_F(PanicWindowTest, NoPodIsTakenForOne) {
  see(100, {});
  EXPECT_TRUE(window_.active());
}

TEST_F(PanicWindowTest, AThresholdThatWouldAlwaysPanicNeverDoes) {
  panic_.threshold = 100;
  see(5000, ready_pods(1));
  EXPECT_FALSE(window_.active());
}

TEST_F(PanicWindowTest, AClockThatJumpsBackEndsItInTime) {
  see(400, ready_pods(4));
  now_ -= seconds(86'400);
  window_.pull_back(now_);
  for (int i = 0; i < 60; ++i) see(10, ready_pods(8));
  EXPECT_FALSE(window_.active());
}

}  // namespace
}  // namespace mcpfleet::scaling
