#include "simulation/knative.h"

#include <gtest/gtest.h>

#include "tests/simulation/workloads.h"

namespace mcpfleet::simulation {
namespace {

// A server with `in_flight` calls in flight, for as long as the test says.
class Knative : public ::testing::Test {
 protected:
  // Lets seconds go by, and asks each second one.
  int after(int seconds, double in_flight, int ready) {
    for (int i = 0; i < seconds; ++i) {
      if (history_.now() % 2 == 0)
        wanted_ = policy_.decide({history_.now(), ready, ready, 0.1, history_, waits_});
      history_.add({.in_flight = in_flight});
    }
    return wanted_;
  }

  History history_;
  WaitWindow waits_;
  KnativePolicy policy_{{.target = 10, .limits = {1, 100}}, 1};
  int wanted_ = 0;
};

TEST_F(Knative, FollowsTheMeanOfAMinute) {
  EXPECT_EQ(after(60, 35, 4), 4);
  // 30 s of 35 and 30 s of 60 are 47.5.
  EXPECT_EQ(after(31, 60, 4), 5);
}

TEST_F(Knative, TwiceTheTargetInSixSecondsIsAPanic) {
  after(60, 35, 4);
  // 6 s of 100: ten pods for four.
  EXPECT_EQ(after(7, 100, 4), 10);
  // What was wanted in the panic stays for a minute after its last tick.
  EXPECT_EQ(after(60, 5, 10), 10);
  EXPECT_LT(after(8, 5, 10), 10);
}

TEST_F(Knative, HalvesAtMostAtATime) {
  after(61, 1, 16);
  EXPECT_EQ(after(1, 1, 16), 8);
  EXPECT_EQ(after(2, 1, 8), 4);
}

TEST_F(Knative, BeginsInPanicWithSeveralPods) {
  KnativePolicy policy({.target = 10, .limits = {1, 100}}, 5);
  history_.add({.in_flight = 1});
  history_.add({.in_flight = 1});
  EXPECT_EQ(policy.decide({2, 5, 5, 0.1, history_, waits_}), 5);
}

TEST_F(Knative, KeepsTheLimits) {
  KnativePolicy policy({.target = 10, .limits = {2, 20}}, 1);
  history_.add({.in_flight = 10'000});
  EXPECT_EQ(policy.decide({2, 1, 1, 0.1, history_, waits_}), 20);
}

}  // namespace
}  // namespace mcpfleet::simulation
