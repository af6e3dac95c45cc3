#include "scaling/schedule.h"

#include <gtest/gtest.h>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

Schedule from_eight() {
  return {"office", Cron::parse("0 8 * * *").value(), hours(2), 20, minutes(10)};
}

class ScheduleTest : public testing::Test {
 protected:
  int at(Duration of_day) {
    const auto got = times_.propose(policy_, kMorning + of_day);
    return got ? got->replicas : -1;
  }
  Policy policy_ = [] {
    Policy policy = plain_policy();
    policy.min_replicas = 4;
    policy.schedules = {from_eight()};
    return policy;
  }();
  ScheduleTimes times_;
};

TEST_F(ScheduleTest, FromTheFiringForItsDuration) {
  const struct {
    Duration at;
    int want;
  } cases[] = {
      {hours(3), -1},
      {hours(8) - minutes(10), -1},
      {hours(8) - minutes(10) + nanoseconds(1), 5},
      {hours(8) - minutes(5), 12},
      {hours(8) - seconds(1), 20},
      {hours(8), 20},
      {hours(10) - nanoseconds(1), 20},
      {hours(10), -1},
      {hours(32), 20},
      // Back again: the clock jumped.
      {hours(9), 20},
      {hours(1), -1},
  };
  for (const auto& test : cases) EXPECT_EQ(at(test.at), test.want) << test.at.count();
}

TEST_F(ScheduleTest, SaysWhichAndWhy) {
  const auto ramp = times_.propose(policy_, kMorning + hours(8) - minutes(5));
  EXPECT_EQ(ramp->reason, Reason::ScheduleRamp);
  EXPECT_EQ(ramp->by, Recommender::Schedule);
  EXPECT_EQ(times_.propose(policy_, kMorning + hours(8))->reason, Reason::Scheduled);
}

TEST_F(ScheduleTest, TheGreatestOfSeveral) {
  Schedule lunch = from_eight();
  lunch.cron = Cron::parse("0 9 * * *").value();
  lunch.min_replicas = 30;
  lunch.duration = minutes(30);
  lunch.ramp = Duration{0};
  policy_.schedules.push_back(lunch);
  EXPECT_EQ(at(hours(8)), 20);
  EXPECT_EQ(times_.propose(policy_, kMorning + hours(9))->entry, 1);
  EXPECT_EQ(at(hours(9)), 30);
  EXPECT_EQ(at(hours(9) + minutes(30)), 20);
}

TEST_F(ScheduleTest, AnEditedScheduleCountsAtOnce) {
  EXPECT_EQ(at(hours(3)), -1);
  policy_.schedules[0].cron = Cron::parse("0 3 * * *").value();
  EXPECT_EQ(at(hours(3)), 20);
}

TEST_F(ScheduleTest, OneThatEndsLaterThanItBeginsAgainNeverEnds) {
  policy_.schedules[0].duration = hours(48);
  for (int hour = 8; hour < 100; ++hour) EXPECT_EQ(at(hours(hour)), 20);
}

TEST_F(ScheduleTest, BadNumbersAskForNothingImpossible) {
  policy_.schedules[0].min_replicas = 2'000'000'000;
  EXPECT_EQ(at(hours(8)), kMostReplicas);
  policy_.schedules[0].min_replicas = -5;
  EXPECT_EQ(at(hours(8)), 0);
  EXPECT_EQ(at(hours(8) - minutes(5)), 4) << "a ramp never goes below the minimum";
  policy_.schedules[0].duration = Duration{-1};
  EXPECT_EQ(at(hours(8)), -1);
  policy_.schedules.assign(kMaxSchedules + 3, from_eight());
  for (std::size_t i = 0; i < kMaxSchedules; ++i) policy_.schedules[i].duration = Duration{0};
  EXPECT_EQ(at(hours(8)), -1) << "those after the last do not count";
}

}  // namespace
}  // namespace mcpfleet::scaling
