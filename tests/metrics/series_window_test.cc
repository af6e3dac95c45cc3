#include "metrics/series_window.h"

#include <gtest/gtest.h>

#include <limits>

namespace mcpfleet::metrics {
namespace {

using std::chrono::seconds;

class SeriesWindowTest : public testing::Test {
 protected:
  // A scrape at a second, of an exposition.
  void scrape(double second, const std::string& text, std::size_t most = 100) {
    window_.begin(at(second), wanted_, most);
    ASSERT_TRUE(parse_exposition(text, {}, [this](const SeriesView& series) -> Result<void> {
      window_.take(series);
      return {};
    }));
    window_.end();
  }
  static MonotonicTime at(double second) {
    return MonotonicTime{std::chrono::hours(1)} +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second));
  }
  SeriesState only() const {
    const auto states = window_.states();
    EXPECT_EQ(states.size(), 1u);
    return states.empty() ? SeriesState{} : states.front();
  }

  SeriesWindow window_{seconds(30)};
  std::shared_ptr<const WantedSeries> wanted_ =
      std::make_shared<const WantedSeries>(WantedSeries{"jobs_total", "depth"});
};

TEST_F(SeriesWindowTest, KeepsWhatIsWanted) {
  scrape(0, "depth{queue=\"a\\\"b\",zone=\"\"} 3\nother 4\n");
  const auto state = only();
  EXPECT_EQ(state.id->name(), "depth");
  EXPECT_EQ(state.id->label("queue"), "a\"b");
  EXPECT_EQ(state.id->label("zone"), "");
  EXPECT_FALSE(state.id->label("name"));
  EXPECT_EQ(state.value, 3);
  EXPECT_EQ(state.covered, Duration{0});
}

TEST_F(SeriesWindowTest, CountsIncreasesOverTheWindow) {
  for (int i = 0; i <= 100; ++i) scrape(i, "jobs_total " + std::to_string(1000 + 5 * i));
  const auto state = only();
  EXPECT_EQ(state.value, 1500);
  EXPECT_NEAR(state.increase / std::chrono::duration<double>(state.covered).count(), 5, 1e-9);
  EXPECT_GE(state.covered, seconds(29));
  EXPECT_LE(state.covered, seconds(33));
}

TEST_F(SeriesWindowTest, ARestartIsNoFall) {
  scrape(0, "jobs_total 100");
  scrape(5, "jobs_total 110");
  scrape(10, "jobs_total 3");
  scrape(15, "jobs_total 7");
  EXPECT_EQ(only().increase, 17);
  EXPECT_EQ(only().covered, seconds(15));
}

TEST_F(SeriesWindowTest, ANewSeriesBeganAtZeroOnlyIfItWasWantedBefore) {
  scrape(0, "jobs_total{a=\"x\"} 100\n");
  scrape(10, "jobs_total{a=\"x\"} 100\njobs_total{a=\"y\"} 7\n");
  auto states = window_.states();
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[1].increase, 7);
  EXPECT_EQ(states[1].covered, seconds(10));
  wanted_ = std::make_shared<const WantedSeries>(WantedSeries{"jobs_total", "late_total"});
  scrape(20, "jobs_total{a=\"x\"} 100\nlate_total 50\n");
  states = window_.states();
  ASSERT_EQ(states.size(), 2u) << "y is gone";
  EXPECT_EQ(states[1].id->name(), "late_total");
  EXPECT_EQ(states[1].covered, Duration{0});
}

TEST_F(SeriesWindowTest, IsBounded) {
  scrape(0, "depth{q=\"1\"} 1\ndepth{q=\"2\"} 1\ndepth{q=\"3\"} 1\n", 2);
  EXPECT_EQ(window_.size(), 2u);
  EXPECT_EQ(window_.refused(), 1u);
  scrape(1, "depth{q=\"3\"} 1\n", 2);
  EXPECT_EQ(window_.size(), 0u);
  scrape(2, "depth{q=\"3\"} 1\n", 2);
  EXPECT_EQ(window_.size(), 1u) << "those that are gone have made room";
  EXPECT_EQ(window_.refused(), 0u);
}

TEST_F(SeriesWindowTest, StartsOverAfterAGap) {
  scrape(0, "jobs_total 100");
  scrape(1, "jobs_total 110");
  scrape(100, "jobs_total 5000");
  EXPECT_EQ(only().increase, 0);
  EXPECT_EQ(only().covered, Duration{0});
}

TEST_F(SeriesWindowTest, WhatIsNoNumberRaisesNothing) {
  scrape(0, "jobs_total 100");
  scrape(5, "jobs_total NaN");
  scrape(10, "jobs_total 120");
  scrape(15, "jobs_total 125");
  EXPECT_EQ(only().increase, 5);
  scrape(20, "jobs_total +Inf");
  EXPECT_EQ(only().increase, 5);
  EXPECT_EQ(only().value, std::numeric_limits<double>::infinity());
}

TEST_F(SeriesWindowTest, ForgetsWhatIsNoLongerWanted) {
  scrape(0, "depth 1");
  wanted_ = nullptr;
  scrape(1, "depth 1");
  EXPECT_EQ(window_.size(), 0u);
}

TEST_F(SeriesWindowTest, AScrapeThatBrokeOffLeavesTheRest) {
  scrape(0, "depth{q=\"1\"} 1\ndepth{q=\"2\"} 1\n");
  window_.begin(at(1), wanted_, 100);
  scrape(2, "depth{q=\"1\"} 1\ndepth{q=\"2\"} 1\n");
  EXPECT_EQ(window_.size(), 2u);
}

}  // namespace
}  // namespace mcpfleet::metrics
