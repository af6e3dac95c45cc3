#include "kube/event_correlator.h"

#include <gtest/gtest.h>

#include <set>

namespace mcpfleet::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class EventCorrelatorTest : public testing::Test {
 protected:
  std::optional<EventWrite> say(const std::string& message, const std::string& reason = "Because",
                                const std::string& object = "a",
                                EventType type = EventType::Normal) {
    return correlator_.observe({.object = {"g/v1", "Thing", "ns", object, "uid-" + object},
                                .type = type,
                                .reason = reason,
                                .message = message,
                                .time = clock_.wall(),
                                .at = clock_.monotonic()});
  }
  ManualClock clock_;
  EventCorrelator correlator_;
};

TEST_F(EventCorrelatorTest, TheSameAgainIsCounted) {
  const auto first = say("it broke");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message, "it broke");
  EXPECT_EQ(first->count, 1);
  EXPECT_TRUE(first->name.starts_with("a."));
  for (const int want : {2, 3}) {
    clock_.advance(seconds(10));
    const auto again = say("it broke");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->name, first->name);
    EXPECT_EQ(again->count, want);
  }
}

TEST_F(EventCorrelatorTest, ABurstIsWrittenOnceAndCountedWithTheNext) {
  ASSERT_TRUE(say("it broke"));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(say("it broke"));
  clock_.advance(seconds(10));
  EXPECT_EQ(say("it broke").value().count, 7);
}

TEST_F(EventCorrelatorTest, WhatDiffersIsAnotherEvent) {
  const std::set<std::string> names{say("it broke")->name, say("it works")->name,
                                    say("it broke", "Why")->name,
                                    say("it broke", "Because", "b")->name,
                                    say("it broke", "Because", "a", EventType::Warning)->name};
  EXPECT_EQ(names.size(), 5U);
}

TEST_F(EventCorrelatorTest, TheTenthSimilarMessageAndWhatFollowsAreOne) {
  std::set<std::string> names;
  for (int i = 1; i < 10; ++i) {
    const auto event = say("message " + std::to_string(i));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->message, "message " + std::to_string(i));
    EXPECT_EQ(event->count, 1);
    names.insert(event->name);
  }
  const auto tenth = say("message 10");
  ASSERT_TRUE(tenth);
  EXPECT_EQ(tenth->message, "(combined from similar events): message 10");
  EXPECT_EQ(tenth->count, 1);
  EXPECT_FALSE(names.contains(tenth->name));
  clock_.advance(minutes(1));
  const auto next = say("message 11");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->message, "(combined from similar events): message 11");
  EXPECT_EQ(next->name, tenth->name);
  EXPECT_EQ(next->count, 2);
  // Another reason, or another object, is not similar.
  EXPECT_EQ(say("message 12", "Why").value().message, "message 12");
  EXPECT_EQ(say("message 12", "Because", "b").value().message, "message 12");
}

TEST_F(EventCorrelatorTest, TenMinutesOfQuietEndTheCombining) {
  for (int i = 1; i <= 10; ++i) say("message " + std::to_string(i));
  clock_.advance(minutes(10));
  EXPECT_EQ(say("message 11").value().message, "(combined from similar events): message 11");
  clock_.advance(minutes(10) + seconds(1));
  EXPECT_EQ(say("message 12").value().message, "message 12");
}

TEST_F(EventCorrelatorTest, AnObjectThatWillNotBeQuietIsCutOff) {
  const auto burst = [this](const std::string& object) {
    int written = 0;
    for (int i = 0; i < 100; ++i) {
      written += say("it broke", "Reason" + std::to_string(i), object) ? 1 : 0;
    }
    return written;
  };
  EXPECT_EQ(burst("a"), 25);
  EXPECT_EQ(burst("b"), 25);  // each object has its own
  clock_.advance(minutes(5) + seconds(1));
  EXPECT_EQ(burst("a"), 1);
}

TEST_F(EventCorrelatorTest, WhatWasCutOffIsCountedAllTheSame) {
  for (int i = 0; i < 25; ++i) say("it broke", "Reason" + std::to_string(i));
  EXPECT_FALSE(say("at last"));
  clock_.advance(minutes(5) + seconds(1));
  EXPECT_EQ(say("at last").value().count, 2);
}

TEST_F(EventCorrelatorTest, GoesOnFromTheCountThatTheServerHas) {
  const auto event = say("it broke");
  correlator_.counted(event->name, 41);
  clock_.advance(seconds(10));
  EXPECT_EQ(say("it broke").value().count, 42);
}

TEST_F(EventCorrelatorTest, ForgetsTheOldestOfVeryMany) {
  say("it broke", "Because", "first");
  for (std::size_t i = 0; i < EventCorrelator::kRemembered; ++i) {
    say("it broke", "Because", "other" + std::to_string(i));
  }
  EXPECT_EQ(say("it broke", "Because", "first").value().count, 1);
}

}  // namespace
}  // namespace mcpfleet::kube
