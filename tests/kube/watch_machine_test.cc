#include "kube/watch_machine.h"

#include <gtest/gtest.h>

#include <ostream>

namespace mcpfleet::kube {

void PrintTo(const WatchStep& step, std::ostream* out) {
  constexpr const char* kWords[] = {"WatchList ", "List ", "Watch "};
  *out << kWords[static_cast<int>(step.action)] << step.continue_token << step.resource_version
       << " after " << step.delay.count() << " ns";
}

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

WatchStep watch_list(std::string version = "", Duration delay = Duration(0)) {
  return {WatchStep::Action::WatchList, "", std::move(version), delay};
}
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
  void end() { machine_.ended(std::nullopt, std::nullopt, kAll); }
  // A server that is too old for WatchList.
  void list_by_pages() {
    fail(ErrorKind::Invalid);
    ASSERT_EQ(machine_.next(), list());
  }
};

TEST_F(WatchMachineTest, TheListIsTheBeginningOfAWatch) {
  EXPECT_EQ(machine_.next(), watch_list());
  machine_.answered();
  machine_.listed("10", "");
  EXPECT_EQ(machine_.next(), watch("10"));
}

TEST_F(WatchMachineTest, AServerThatRefusesToStreamListsPageByPageAtOnce) {
  EXPECT_EQ(machine_.next(), watch_list());
  fail(ErrorKind::Invalid);
  EXPECT_EQ(machine_.next(), list());
  machine_.listed("10", "page2");
  EXPECT_EQ(machine_.next(), list("page2"));
  machine_.listed("10", "");
  EXPECT_EQ(machine_.next(), watch("10"));
  // It is remembered.
  fail(ErrorKind::Gone);
  EXPECT_EQ(machine_.next(), list("", milliseconds(200)));
}

TEST_F(WatchMachineTest, AServerThatNeverEndsItsListIsAskedForPages) {
  for (const bool silent : {true, false}) {
    WatchMachine machine({milliseconds(200), seconds(5)});
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(machine.next().action, WatchStep::Action::WatchList);
      machine.answered();
      const auto why = silent ? std::optional(error(ErrorKind::Timeout)) : std::nullopt;
      machine.ended(why, std::nullopt, kAll);
    }
    EXPECT_EQ(machine.next(), list());
  }
}

TEST_F(WatchMachineTest, AServerThatCannotBeReachedMayStillBeOneThatStreams) {
  for (int i = 0; i < 20; ++i) {
    fail(i % 2 == 0 ? ErrorKind::Timeout : ErrorKind::Unavailable);
    EXPECT_EQ(machine_.next().action, WatchStep::Action::WatchList);
  }
}

TEST_F(WatchMachineTest, AListThatBreaksOffOnceIsBegunAnew) {
  for (const auto kind : {ErrorKind::Timeout, ErrorKind::Unavailable, ErrorKind::Gone}) {
    WatchMachine machine({milliseconds(200), seconds(5)});
    machine.answered();
    machine.ended(error(kind), std::nullopt, kAll);
    EXPECT_EQ(machine.next(), watch_list("", milliseconds(200)));
    machine.answered();
    machine.listed("10", "");
    EXPECT_EQ(machine.next(), watch("10"));
  }
}

TEST_F(WatchMachineTest, ARelistMustNotBeOlderThanWhatWasTold) {
  machine_.listed("10", "");
  machine_.progressed("12");
  fail(ErrorKind::Gone);
  EXPECT_EQ(machine_.next(), watch_list("12", milliseconds(200)));
  EXPECT_TRUE(machine_.accepts("12"));
  EXPECT_TRUE(machine_.accepts("100"));
  EXPECT_FALSE(machine_.accepts("9"));
}

TEST_F(WatchMachineTest, AClusterThatWentBackIsBelievedInTheEnd) {
  machine_.listed("1000", "");
  fail(ErrorKind::Gone);
  int refused = 0;
  while (!machine_.accepts("20") && refused < 100) {
    ++refused;
    fail(ErrorKind::Unavailable);
  }
  EXPECT_EQ(refused, 8);
  // No version is asked for meanwhile that the server cannot have.
  EXPECT_EQ(machine_.next().resource_version, "");
  machine_.listed("20", "");
  EXPECT_EQ(machine_.next(), watch("20"));
  EXPECT_TRUE(machine_.accepts("21"));
  EXPECT_FALSE(machine_.accepts("19"));
}

TEST_F(WatchMachineTest, GoesOnWhereAWatchEnded) {
  machine_.listed("10", "");
  machine_.progressed("12");
  machine_.progressed("15");
  end();
  EXPECT_EQ(machine_.next(), watch("15"));
}

TEST_F(WatchMachineTest, AWatchThatEndsAtOnceAgainAndAgainIsNotHammered) {
  machine_.listed("10", "");
  end();
  EXPECT_EQ(machine_.next(), watch("10", milliseconds(200)));
  end();
  EXPECT_EQ(machine_.next(), watch("10", milliseconds(400)));
}

TEST_F(WatchMachineTest, AnExpiredVersionListsAgain) {
  list_by_pages();
  machine_.listed("10", "");
  machine_.progressed("12");
  fail(ErrorKind::Gone);
  EXPECT_EQ(machine_.next(), list("", milliseconds(200)));
}

TEST_F(WatchMachineTest, AnExpiredContinueTokenBeginsTheListAnew) {
  list_by_pages();
  machine_.listed("10", "page2");
  fail(ErrorKind::Gone);
  EXPECT_EQ(machine_.next(), list("", milliseconds(200)));
}

TEST_F(WatchMachineTest, AFailedPageIsAskedForAgain) {
  list_by_pages();
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
    EXPECT_EQ(machine_.next(), watch_list("", delay));
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
  EXPECT_EQ(machine_.next().action, WatchStep::Action::WatchList);
  EXPECT_EQ(machine_.next().delay, milliseconds(3200));
}

TEST_F(WatchMachineTest, RetryAfterIsHeard) {
  machine_.ended(error(ErrorKind::TooMany), seconds(3), 0.0);
  EXPECT_EQ(machine_.next(), watch_list("", seconds(3)));
}

TEST_F(WatchMachineTest, JitterHalvesAtMost) {
  machine_.ended(error(ErrorKind::Unavailable), std::nullopt, 0.0);
  EXPECT_EQ(machine_.next(), watch_list("", milliseconds(100)));
}

}  // namespace
}  // namespace mcpfleet::kube
