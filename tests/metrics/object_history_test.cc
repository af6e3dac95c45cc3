#include "metrics/object_history.h"

#include <gtest/gtest.h>

namespace mcpfleet::metrics {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Metric kRate = Metric::RequestsPerSecond;

WallTime at(int second) { return WallTime{seconds(1'767'225'600 + second)}; }

Reading rate(double value) {
  Reading reading{};
  reading[static_cast<std::size_t>(kRate)] = value;
  return reading;
}

// A reading a second in [from, to), each of its own second's number.
ObjectHistory counted(int from, int to) {
  ObjectHistory history(HistoryShape{});
  for (int second = from; second < to; ++second) history.record(at(second), rate(second));
  return history;
}

WindowAggregate over(const ObjectHistory& history, int from, int to,
                     Resolution by = Resolution::Raw) {
  return history.aggregate(kRate, at(from), at(to), by);
}

TEST(ObjectHistoryTest, WindowsOfSeconds) {
  const auto history = counted(0, 200);
  const struct {
    int from;
    int to;
    Aggregate want;
  } cases[] = {
      {0, 199, {200, 19900, 0, 199, 199}}, {10, 19, {10, 145, 10, 19, 19}},
      {150, 150, {1, 150, 150, 150, 150}}, {190, 500, {10, 1945, 190, 199, 199}},
      {-50, 1, {2, 1, 0, 1, 1}},
  };
  for (const auto& test : cases) {
    const auto found = over(history, test.from, test.to);
    EXPECT_EQ(found.of, test.want) << test.from << ".." << test.to;
    EXPECT_EQ(found.step, seconds(1));
  }
  EXPECT_EQ(over(history, 200, 300).of.count, 0u);
  EXPECT_EQ(history.aggregate(Metric::ErrorRatio, at(0), at(300), Resolution::Raw).of.count, 0u);
}

TEST(ObjectHistoryTest, GapsAreAbsentAndNeverZero) {
  ObjectHistory history(HistoryShape{});
  history.record(at(0), rate(5));
  history.record(at(1), Reading{});
  history.record(at(10), rate(7));
  EXPECT_EQ(history.samples(kRate, at(0), at(100)),
            (std::vector<HistorySample>{{at(0), 5}, {at(10), 7}}));
  EXPECT_EQ(over(history, 0, 100).of, (Aggregate{2, 12, 5, 7, 7}));
  EXPECT_EQ(over(history, 1, 9).of.count, 0u);
}

TEST(ObjectHistoryTest, AStepCountsOnce) {
  ObjectHistory history(HistoryShape{});
  history.record(at(0), rate(5));
  history.record(at(0) + std::chrono::milliseconds(700), rate(9));
  history.record(at(61), rate(1));
  EXPECT_EQ(history.samples(kRate, at(0), at(9)), (std::vector<HistorySample>{{at(0), 5}}));
  EXPECT_EQ(over(history, 0, 59, Resolution::Minute).of.count, 1u);
}

TEST(ObjectHistoryTest, OneOfFiveSecondsIsKeptForAnHour) {
  const auto history = counted(0, 3600 + 600);
  const auto hour = over(history, 4200 - 3600, 4199);
  EXPECT_EQ(hour.step, seconds(5));
  EXPECT_EQ(hour.of.count, 720u);
  EXPECT_EQ(hour.of.min, 600);
  const auto five = over(history, 4200 - 300, 4199);
  EXPECT_EQ(five.step, seconds(1));
  EXPECT_EQ(five.of.count, 300u);
  const auto samples = history.samples(kRate, at(600), at(4199));
  EXPECT_GE(samples.size(), 660u + 300u);
  EXPECT_EQ(samples.front(), (HistorySample{at(600), 600}));
  EXPECT_EQ(samples[1].at, at(605));
  EXPECT_EQ(samples.back().at, at(4199));
  for (std::size_t i = 1; i < samples.size(); ++i) EXPECT_GT(samples[i].at, samples[i - 1].at);
}

TEST(ObjectHistoryTest, MinutesRollOverAndCountEverySample) {
  auto history = counted(30, 150);
  const auto found = history.minutes(kRate, at(0), at(1000));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].at, at(0));
  EXPECT_EQ(found[0].of.count, 30u);
  EXPECT_EQ(found[1].at, at(60));
  EXPECT_EQ(found[1].of.count, 60u);
  EXPECT_EQ(found[1].of.min, 60);
  EXPECT_EQ(found[1].of.max, 119);
  EXPECT_EQ(found[1].of.last, 119);
  EXPECT_NEAR(found[1].of.sum, 60 * 89.5, 60 * 0.05);
  EXPECT_EQ(found[2].of, (Aggregate{30, 30 * 134.5, 120, 149, 149})) << "the one under way";
  EXPECT_EQ(history.minutes(kRate, at(60), at(119)).size(), 1u);
  EXPECT_EQ(history.minutes(kRate, at(61), at(119)).size(), 0u);
}

TEST(ObjectHistoryTest, MinutesAreKeptForADay) {
  ObjectHistory history(HistoryShape{});
  for (int minute = 0; minute < 2000; ++minute) history.record(at(60 * minute), rate(minute % 100));
  const auto day =
      history.aggregate(kRate, at(60 * 2000) - hours(24), at(60 * 2000), Resolution::Minute);
  EXPECT_EQ(day.of.count, 1440u);
  EXPECT_EQ(day.step, minutes(1));
  EXPECT_EQ(day.of.max, 99);
  EXPECT_LE(history.minutes(kRate, at(0), at(60 * 2000)).size(), 1500u);
}

TEST(ObjectHistoryTest, TellsWhatAReadingCompleted) {
  ObjectHistory history(HistoryShape{});
  EXPECT_TRUE(history.record(at(58), rate(1)).coarse);
  EXPECT_FALSE(history.record(at(59), rate(1)).minute);
  const auto first = history.record(at(60), rate(1));
  ASSERT_TRUE(first.minute);
  EXPECT_EQ(first.minute->at, at(0));
  EXPECT_FALSE(first.minute->whole);
  EXPECT_TRUE(first.coarse);
  EXPECT_FALSE(history.record(at(61), rate(1)).coarse);
  const auto second = history.record(at(125), Reading{});
  ASSERT_TRUE(second.minute);
  EXPECT_EQ(second.minute->at, at(60));
  EXPECT_TRUE(second.minute->whole);
}

TEST(ObjectHistoryTest, AClockThatGoesBack) {
  auto history = counted(0, 100);
  history.record(at(80), rate(1));
  EXPECT_EQ(over(history, 0, 200).of.count, 100u) << "by less than a minute: it is waited for";
  history.record(at(-500), rate(1));
  EXPECT_EQ(over(history, -1000, 200).of, (Aggregate{1, 1, 1, 1, 1}));
}

TEST(ObjectHistoryTest, RestoresWhereNothingIsKnown) {
  ObjectHistory history(HistoryShape{});
  history.record(at(605), rate(42));
  for (int second = 0; second <= 605; second += 5) history.restore(at(second), rate(7));
  history.restore(kRate, MinuteAggregate{at(-60), {60, 120, 1, 3, 2}});
  history.restore(kRate, MinuteAggregate{at(600), {60, 120, 1, 3, 2}});
  const auto samples = history.samples(kRate, at(0), at(1000));
  ASSERT_EQ(samples.size(), 122u);
  EXPECT_EQ(samples[0], (HistorySample{at(0), 7}));
  EXPECT_EQ(samples.back(), (HistorySample{at(605), 42}));
  const auto whole = over(history, 0, 1000);
  EXPECT_EQ(whole.step, seconds(5));
  EXPECT_EQ(whole.of, (Aggregate{122, 121 * 7 + 42, 7, 42, 42}));
  const auto found = history.minutes(kRate, at(-1000), at(1000));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].of, (Aggregate{60, 120, 1, 3, 2}));
  EXPECT_EQ(found[1].of.count, 1u) << "the minute under way is our own";
}

TEST(ObjectHistoryTest, NoSampleIsOlderThanItsReading) {
  ObjectHistory history(HistoryShape{});
  history.record(at(8), rate(3));
  history.record(at(9), rate(4));
  EXPECT_EQ(history.samples(kRate, at(0), at(100)),
            (std::vector<HistorySample>{{at(8), 3}, {at(9), 4}}));
}

TEST(ObjectHistoryTest, ForgetsOneMetric) {
  ObjectHistory history(HistoryShape{});
  Reading reading = rate(1);
  reading[static_cast<std::size_t>(Metric::ErrorRatio)] = 0.5;
  history.record(at(0), reading);
  history.reset(kRate);
  EXPECT_TRUE(history.samples(kRate, at(0), at(9)).empty());
  EXPECT_EQ(history.samples(Metric::ErrorRatio, at(0), at(9)).size(), 1u);
}

TEST(ObjectHistoryTest, OtherSteps) {
  HistoryShape shape;
  shape.step = seconds(5);
  shape.fine_span = Duration{0};
  shape.minutes_span = Duration{0};
  ObjectHistory history(shape);
  for (int second = 0; second < 600; ++second) history.record(at(second), rate(second));
  EXPECT_EQ(over(history, 0, 599).of.count, 120u);
  EXPECT_EQ(over(history, 0, 599, Resolution::Minute).of.count, 0u) << "minutes are not kept";
}

}  // namespace
}  // namespace mcpfleet::metrics
