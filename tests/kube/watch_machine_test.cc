#include "kube/watch_machine.h"

#include <gtest/gtest.h>

#include <ostream>

namespace mcpfleet::kube {

void PrintTo(const WatchStep& step, std::ostream* out) {
  *out << (step.action == WatchStep::Action::List ? "List " : "Watch ") << step.continue_token
       << step.resource_version << " after " << step.delay.count() << " ns";
}

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

WatchStep list(std::string token = "", Duration delay = Duration(0)) {
  return {WatchStep::Action::List, std::move(token), "", delay};
}
WatchStep watch(std::string version, Duration delay = Duration(0)) {
  return {WatchStep::Action::Watch, "", std::move(version), delay};
}
Error error(ErrorKind kind) { return {kind, "x"}; }

// Full jitter: the back-off as it is.
constexpr double kAll = 1.0;

class WatchMachineTest : public testing::Test {
 protected:
  WatchMachine machine_{{milliseconds(200), seconds(5)}};
  void fail(ErrorKind kind) { machine_.ended(error(kind), std::nullopt, kAll); }
};

TEST_F(WatchMachineTest, ListsPageByPageThenWatches) {
  EXPECT_EQ(machine_.next(), list());
  machine_.listed("10", "page2");
  EXPECT_EQ(machine_.next(), list("page2"));
  machine_.listed("10", "");
  EXPECT_EQ(machine_.next(), watch("10"));
}

TEST_F(WatchMachineTest, GoesOnWhereAWatchEnded) {
  machine_.listed("10", "");
  machine_.progressed("12");
  machine_.progressed("15");
  machine_.ended(std::nullopt, std::nullopt, kAll);
  EXPECT_EQ(machine_.next(), watch("15"));
}

TEST_F(WatchMachineTest, AWatchThatEndsAtOnceAgainAndAgainIsNotHammered) {
  machine_.listed("10", "");
  machine_.ended(std::nullopt, std::nullopt, kAll);
  EXPECT_EQ(machine_.next(), watch("10", milliseconds(200)));
  machine_.ended(std::nullopt, std::nullopt, kAll);
  EXPECT_EQ(machine_.next(), watch("10", milliseconds(400)));
}

TEST_F(WatchMachineTest, AnExpiredVersionListsAgain) {
  machine_.listed("10", "");
  machine_.progressed("12");
  fail(ErrorKind::Gone);
  EXPECT_EQ(machine_.next(), list("", milliseconds(200)));
}

TEST_F(WatchMachineTest, AnExpiredContinueTokenBeginsTheListAnew) {
  machine_.listed("10", "page2");
  fail(ErrorKind::Gone);
  EXPECT_EQ(machine_.next(), list("", milliseconds(200)));
}

TEST_F(WatchMachineTest, AFailedPageIsAskedForAgain) {
  machine_.listed("10", "page2");
  fail(ErrorKind::Unavailable);
  EXPECT_EQ(machine_.next(), list("page2", milliseconds(200)));
}

TEST_F(WatchMachineTest, BacksOffUpToTheCeilingAndForgetsWithProgress) {
  const milliseconds want[] = {milliseconds(200),  milliseconds(400),  milliseconds(800),
                               milliseconds(1600), milliseconds(3200), milliseconds(5000),
                               milliseconds(5000)};
  for (const auto delay : want) {
    fail(ErrorKind::Unavailable);
    EXPECT_EQ(machine_.next(), list("", delay));
  }
  machine_.listed("10", "");
  EXPECT_EQ(machine_.next(), watch("10"));
  fail(ErrorKind::Timeout);
  EXPECT_EQ(machine_.next(), watch("10", milliseconds(200)));
  machine_.progressed("11");
  fail(ErrorKind::Timeout);
  EXPECT_EQ(machine_.next(), watch("11", milliseconds(200)));
}

TEST_F(WatchMachineTest, AWatchThatKeepsFailingBeginsAnew) {
  machine_.listed("10", "");
  for (int i = 0; i < 4; ++i) {
    fail(ErrorKind::Unavailable);
    EXPECT_EQ(machine_.next().action, WatchStep::Action::Watch);
  }
  fail(ErrorKind::Unavailable);
  EXPECT_EQ(machine_.next(), list("", milliseconds(3200)));
}

TEST_F(WatchMachineTest, RetryAfterIsHeard) {
  machine_.ended(error(ErrorKind::TooMany), seconds(3), 0.0);
  EXPECT_EQ(machine_.next(), list("", seconds(3)));
}

TEST_F(WatchMachineTest, JitterHalvesAtMost) {
  machine_.ended(error(ErrorKind::Unavailable), std::nullopt, 0.0);
  EXPECT_EQ(machine_.next(), list("", milliseconds(100)));
}

}  // namespace
}  // namespace mcpfleet::kube
