#include "scaling/series.h"

#include <gtest/gtest.h>

#include <limits>

#include "rules.h"

namespace mcpfleet::scaling {
namespace {

Rule with_window(Duration window) {
  Rule rule = slow();
  rule.window = window;
  return rule;
}

TEST(SeriesTest, AHundredSamplesCoverTheWindow) {
  EXPECT_EQ(sample_interval(with_window(seconds(300))), seconds(3));
  EXPECT_EQ(sample_interval(with_window(seconds(30))), seconds(1));
  EXPECT_EQ(sample_interval(with_window(seconds(3600))), seconds(36));
}

TEST(SeriesTest, Due) {
  const Rule rule = with_window(seconds(300));
  EXPECT_TRUE(due(rule, std::nullopt, kStart));
  EXPECT_FALSE(due(rule, kStart, kStart));
  EXPECT_FALSE(due(rule, kStart, kStart + seconds(2)));
  EXPECT_TRUE(due(rule, kStart, kStart + milliseconds(2'990)));
  EXPECT_TRUE(due(rule, kStart + seconds(5), kStart)) << "the clock jumped back";
}

TEST(SeriesTest, SamplesThatAreNotDueChangeNothing) {
  const Rule rule = with_window(seconds(300));
  Series series(rule);
  series.record(rule, Sample::of(1), kStart);
  series.record(rule, Sample::of(100), kStart + seconds(1));
  EXPECT_DOUBLE_EQ(series.window(rule, kStart + seconds(1)).average, 1);
}

TEST(SeriesTest, TheWindowIncludesItsEdge) {
  const Rule rule = with_window(seconds(30));
  Series series(rule);
  series.record(rule, Sample::of(1), kStart);
  series.record(rule, Sample::of(3), kStart + seconds(10));
  EXPECT_DOUBLE_EQ(series.window(rule, kStart + seconds(30)).average, 2);
  EXPECT_DOUBLE_EQ(series.window(rule, kStart + seconds(31)).average, 3);
  EXPECT_EQ(series.window(rule, kStart + seconds(41)).state, Window::State::Stale);
}

TEST(SeriesTest, KeepsTheLastHundred) {
  Rule rule = with_window(seconds(30));
  Series series(rule);
  for (int i = 1; i <= 150; ++i) series.record(rule, Sample::of(i), kStart + seconds(i));
  rule.window = seconds(3600);
  EXPECT_DOUBLE_EQ(series.window(rule, kStart + seconds(150)).average, (51 + 150) / 2.0);
}

TEST(SeriesTest, IdleIsNeitherAZeroNorMissing) {
  const Rule rule = with_window(seconds(30));
  Series series(rule);
  EXPECT_EQ(series.window(rule, kStart).state, Window::State::Empty);
  series.record(rule, Sample::of(4), kStart);
  series.record(rule, Sample::idle(), kStart + seconds(1));
  EXPECT_EQ(series.window(rule, kStart + seconds(1)).state, Window::State::Idle);
  series.record(rule, Sample::of(2), kStart + seconds(2));
  EXPECT_DOUBLE_EQ(series.window(rule, kStart + seconds(2)).average, 3);
}

TEST(SeriesTest, MissingIsNoSampleAndKeepsItsText) {
  const Rule rule = with_window(seconds(30));
  Series series(rule);
  series.record(rule, Sample::missing("no pod answers"), kStart);
  EXPECT_EQ(series.window(rule, kStart).state, Window::State::Empty);
  EXPECT_EQ(series.why_missing(), "no pod answers");
  series.record(rule, Sample::of(std::numeric_limits<double>::quiet_NaN()), kStart);
  EXPECT_EQ(series.window(rule, kStart).state, Window::State::Empty);
  EXPECT_EQ(series.why_missing(), "the value is not a finite number");
  series.record(rule, Sample::of(1), kStart + seconds(1));
  EXPECT_EQ(series.why_missing(), "");
}

TEST(SeriesTest, AClockThatJumpsBackDropsTheFuture) {
  const Rule rule = with_window(seconds(30));
  Series series(rule);
  series.record(rule, Sample::of(1), kStart);
  series.record(rule, Sample::of(9), kStart + seconds(20));
  EXPECT_DOUBLE_EQ(series.window(rule, kStart + seconds(5)).average, 1);
  series.record(rule, Sample::of(3), kStart + seconds(5));
  EXPECT_DOUBLE_EQ(series.window(rule, kStart + seconds(20)).average, 2);
}

}  // namespace
}  // namespace mcpfleet::scaling
