#include "simulation/pods.h"

#include <gtest/gtest.h>

#include "tests/simulation/workloads.h"

namespace mcpfleet::simulation {
namespace {

TEST(Pods, ServeAfterTheirStart) {
  Pods pods(plain_workload().pod, 2);
  pods.scale(100, 5);
  for (int second = 100; second < 110; ++second) {
    pods.begin(second);
    EXPECT_EQ(pods.ready(), 2);
    EXPECT_EQ(pods.replicas(), 5);
  }
  pods.begin(110);
  EXPECT_EQ(pods.ready(), 5);
  EXPECT_EQ(pods.starting(), 0);
}

TEST(Pods, ThoseThatStartGoFirstTheNewestFirst) {
  Pods pods(plain_workload().pod, 2);
  pods.scale(0, 4);
  pods.scale(3, 7);
  pods.scale(5, 3);  // the three of second 3 and one of second 0
  EXPECT_EQ(pods.ready(), 2);
  EXPECT_EQ(pods.starting(), 1);
  EXPECT_EQ(pods.stopping_seconds(), 0) << "they never served";
  pods.begin(10);
  EXPECT_EQ(pods.ready(), 3);
  pods.scale(11, 1);
  EXPECT_EQ(pods.ready(), 1);
  EXPECT_EQ(pods.stopping_seconds(), 10);
}

TEST(Pods, MayStartAtOnce) {
  Pods pods({.start_seconds = 0}, 0);
  pods.scale(0, 3);
  EXPECT_EQ(pods.ready(), 3);
  pods.scale(0, 0);
  EXPECT_EQ(pods.replicas(), 0);
}

}  // namespace
}  // namespace mcpfleet::simulation
