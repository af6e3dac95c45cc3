#include "scaling/forecast.h"

#include <gtest/gtest.h>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class ForecastTest : public testing::Test {
 protected:
  ForecastTest() { model_.configure(settings_, Signal::RequestsPerSecond); }
  // A day with one hour of a peak, 8 to 9.
  static double day(Duration of_day) {
    return of_day % hours(24) >= hours(8) && of_day % hours(24) < hours(9) ? 900 : 100;
  }
  void live(Duration from, Duration to, double factor = 1) {
    for (Duration at = from; at < to; at += std::chrono::seconds(30))
      model_.observe(day(at) * factor, kMorning + at);
  }
  double at(Duration time, double load) { return model_.load(settings_, load, kMorning + time); }

  Forecast settings_{hours(24), minutes(10)};
  SeasonalForecast model_;
};

TEST_F(ForecastTest, NothingIsSaidOfWhatWasNeverSeen) {
  live(hours(0), hours(20));
  EXPECT_EQ(at(hours(20), 100), 0);
}

TEST_F(ForecastTest, ThePeakIsSeenComing) {
  live(hours(0), hours(24) + hours(7) + minutes(40));
  EXPECT_DOUBLE_EQ(at(hours(31) + minutes(40), 100), 100);
  live(hours(31) + minutes(40), hours(31) + minutes(51));
  EXPECT_DOUBLE_EQ(at(hours(31) + minutes(51), 100), 900);
}

TEST_F(ForecastTest, TodayIsBusierOrCalmer) {
  live(hours(0), hours(32) - minutes(9));
  const Duration soon = hours(32) - minutes(9);
  EXPECT_DOUBLE_EQ(at(soon, 150), 1350);
  EXPECT_DOUBLE_EQ(at(soon, 100'000), 1800) << "at most twice";
  EXPECT_DOUBLE_EQ(at(soon, 0), 450) << "at least half";
  double before = 0;
  for (double load = 0; load < 500; load += 3) {
    ASSERT_GE(at(soon, load), before);
    before = at(soon, load);
  }
}

TEST_F(ForecastTest, TheNewestSeasonWeighsHalf) {
  live(hours(0), hours(24));
  live(hours(24), hours(48), 3);
  live(hours(48), hours(56) - minutes(9), 1.5);
  EXPECT_NEAR(at(hours(56) - minutes(9), 175), 1800 * 175.0 / 175, 1);
}

TEST_F(ForecastTest, AnotherSeasonOrSignalStartsEmpty) {
  live(hours(0), hours(30));
  model_.configure(settings_, Signal::RequestsPerSecond);
  EXPECT_GT(at(hours(30), 100), 0);
  model_.configure(settings_, Signal::Concurrency);
  EXPECT_EQ(at(hours(30), 100), 0);
  settings_.season = Duration{0};
  model_.configure(settings_, Signal::Concurrency);
  model_.observe(5, kMorning);
  EXPECT_GE(at(hours(1), 100), 0);
}

TEST_F(ForecastTest, AClockThatJumpsIsSurvived) {
  live(hours(0), hours(30));
  model_.observe(1, kMorning - hours(1000));
  model_.observe(1, kMorning + hours(100'000));
  EXPECT_GE(at(hours(31), 100), 0);
}

}  // namespace
}  // namespace mcpfleet::scaling
