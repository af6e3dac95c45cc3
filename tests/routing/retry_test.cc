#include "routing/retry.h"

#include <gtest/gtest.h>

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SafeToRepeatTest, OnlyWhatReads) {
  for (const char* method : {"ping", "server/discover", "tools/list", "prompts/list", "prompts/get",
                             "resources/list", "resources/templates/list", "resources/read",
                             "completion/complete", "tasks/list", "tasks/get"})
    EXPECT_TRUE(safe_to_repeat(method)) << method;
  for (const char* method :
       {"initialize", "tools/call", "logging/setLevel", "resources/subscribe",
        "resources/unsubscribe", "subscriptions/listen", "tasks/result", "tasks/cancel", "",
        "tools/List", "vendor/list", "notifications/initialized"})
    EXPECT_FALSE(safe_to_repeat(method)) << method;
}

TEST(MayRepeatTest, OnlyWhereNothingCanHappenTwice) {
  struct Case {
    Reached reached;
    Outcome outcome;
    bool when_safe;
    bool otherwise;
  };
  const Case cases[] = {
      {Reached::Nothing, Outcome::ConnectFailed, true, true},
      {Reached::Nothing, Outcome::Broken, true, true},
      {Reached::Nothing, Outcome::TimedOut, true, true},
      {Reached::Nothing, Outcome::Cancelled, false, false},
      {Reached::Refused, Outcome::BadStatus, true, true},
      {Reached::Refused, Outcome::CallError, true, true},  // it said so by another status
      {Reached::Refused, Outcome::Cancelled, false, false},
      {Reached::Written, Outcome::Broken, true, false},
      {Reached::Written, Outcome::BadStatus, true, false},
      {Reached::Written, Outcome::TimedOut, true, false},
      {Reached::Written, Outcome::CallError, false, false},
      {Reached::Written, Outcome::Cancelled, false, false},
      {Reached::Answering, Outcome::Broken, false, false},
      {Reached::Answering, Outcome::Success, false, false},
  };
  for (const auto& test : cases) {
    Attempt attempt{.reached = test.reached, .outcome = test.outcome};
    EXPECT_EQ(may_repeat(attempt), test.otherwise)
        << static_cast<int>(test.reached) << " " << static_cast<int>(test.outcome);
    attempt.safe = true;
    EXPECT_EQ(may_repeat(attempt), test.when_safe)
        << static_cast<int>(test.reached) << " " << static_cast<int>(test.outcome);
  }
}

class RetryTest : public testing::Test {
 protected:
  std::optional<Duration> after(const Attempt& attempt) {
    return retry_after(settings_, attempt, budget_, random_);
  }
  static Attempt refused(int number, bool other_pod = false) {
    return {.number = number,
            .reached = Reached::Nothing,
            .outcome = Outcome::ConnectFailed,
            .other_pod = other_pod};
  }

  fleet::Retries settings_;
  RetryBudget budget_;
  Random random_{5};
};

TEST_F(RetryTest, ThreeTriesInAll) {
  EXPECT_TRUE(after(refused(1)));
  EXPECT_TRUE(after(refused(2)));
  EXPECT_FALSE(after(refused(3)));
  settings_.attempts = 1;
  EXPECT_FALSE(after(refused(1)));
}

TEST_F(RetryTest, TheWaitDoublesAndIsNeverTheSame) {
  settings_.attempts = 100;
  for (const auto& [number, even] : {std::pair{1, 1}, {2, 2}, {3, 4}, {5, 16}, {9, 16}}) {
    Duration shortest = Duration::max();
    Duration longest{0};
    for (int i = 0; i < 200; ++i) {
      budget_ = {};
      const auto wait = after(refused(number)).value_or(Duration(0));
      shortest = std::min(shortest, wait);
      longest = std::max(longest, wait);
    }
    EXPECT_GE(shortest, even * milliseconds(500));
    EXPECT_LT(shortest, even * milliseconds(600));
    EXPECT_GT(longest, even * milliseconds(1400));
    EXPECT_LT(longest, even * milliseconds(1500));
  }
}

TEST_F(RetryTest, AnotherPodIsTriedAtOnceWhereNothingWasWritten) {
  EXPECT_EQ(after(refused(1, true)), Duration(0));
  Attempt attempt = refused(1, true);
  attempt.reached = Reached::Refused;
  EXPECT_EQ(after(attempt), Duration(0));
  attempt.reached = Reached::Written;
  attempt.safe = true;
  EXPECT_GE(after(attempt), milliseconds(500));
}

TEST_F(RetryTest, NotAfterTheCallsTime) {
  Attempt attempt = refused(1);
  attempt.time_left = milliseconds(500);
  EXPECT_FALSE(after(attempt));
  EXPECT_EQ(budget_.left(), RetryBudget::kReserve);
  attempt.time_left = milliseconds(1500);
  EXPECT_TRUE(after(attempt));
  EXPECT_EQ(budget_.left(), RetryBudget::kReserve - 1);
}

TEST_F(RetryTest, WhatMayNotBeRepeatedCostsNothing) {
  EXPECT_FALSE(after({.reached = Reached::Written, .outcome = Outcome::Broken}));
  EXPECT_EQ(budget_.left(), RetryBudget::kReserve);
}

TEST_F(RetryTest, AnOutageIsNotMultiplied) {
  int repeats = 0;
  for (int call = 0; call < 10'000; ++call) {
    budget_.called();
    for (int number = 1; after(refused(number, true)); ++number) ++repeats;
  }
  EXPECT_LE(repeats, 10'000 * RetryBudget::kShare + RetryBudget::kReserve);
  EXPECT_GE(repeats, 10'000 * RetryBudget::kShare - 1);
}

TEST_F(RetryTest, AFewFailuresAmongManyCallsAreAllRepeated) {
  for (int call = 0; call < 10'000; ++call) {
    budget_.called();
    if (call % 10 == 0) {
      EXPECT_TRUE(after(refused(1, true))) << call;
    }
  }
  EXPECT_LE(budget_.left(), RetryBudget::kReserve);
}

}  // namespace
}  // namespace mcpfleet::routing
