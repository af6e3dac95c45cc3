#include "scaling/load_window.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <random>
#include <utility>

#include "facts.h"
#include "scaling/load.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LoadWindow window_of(Duration length) {
  LoadWindow window;
  window.resize(length);
  return window;
}

void add(LoadWindow& window, WallTime at, double value) {
  window.advance(at);
  window.add(at, value);
}

TEST(LoadWindowTest, MeansWhatIsWithin) {
  LoadWindow window = window_of(seconds(6));
  for (int i = 0; i < 10; ++i) add(window, kMorning + seconds(i), i);
  EXPECT_DOUBLE_EQ(window.mean(), (4 + 5 + 6 + 7 + 8 + 9) / 6.0);
  EXPECT_DOUBLE_EQ(window.peak(), 9);
  window.advance(kMorning + seconds(13));
  EXPECT_DOUBLE_EQ(window.mean(), 8.5);
  window.advance(kMorning + seconds(15));
  EXPECT_TRUE(window.empty());
  EXPECT_DOUBLE_EQ(window.mean(), 0);
}

TEST(LoadWindowTest, LateValuesGoWhereTheyBelong) {
  LoadWindow window = window_of(seconds(6));
  add(window, kMorning + seconds(9), 1);
  window.add(kMorning + seconds(5), 3);
  window.add(kMorning, 1000);
  EXPECT_DOUBLE_EQ(window.mean(), 2);
  window.advance(kMorning + seconds(11));
  EXPECT_DOUBLE_EQ(window.mean(), 1) << "the late one left first";
}

TEST(LoadWindowTest, AClockThatJumps) {
  LoadWindow window = window_of(seconds(6));
  add(window, kMorning, 5);
  window.advance(kMorning - milliseconds(1500));
  EXPECT_DOUBLE_EQ(window.mean(), 5) << "corrected by a little";
  window.advance(kMorning - seconds(86'400));
  EXPECT_TRUE(window.empty());
  add(window, kMorning - seconds(86'400), 7);
  window.advance(kMorning + seconds(86'400'000));
  EXPECT_TRUE(window.empty());
}

TEST(LoadWindowTest, LongWindowsHaveWiderSlots) {
  LoadWindow window = window_of(seconds(3600));
  for (int i = 0; i < 7200; ++i) add(window, kMorning + seconds(i), i < 3600 ? 1000 : 10);
  EXPECT_DOUBLE_EQ(window.mean(), 10);
  for (const Duration odd : {Duration{-5}, Duration{0}, Duration::max()}) {
    window.resize(odd);
    add(window, kMorning, 3);
    EXPECT_DOUBLE_EQ(window.mean(), 3);
  }
}

TEST(LoadWindowTest, AnotherLengthStartsEmpty) {
  LoadWindow window = window_of(seconds(6));
  add(window, kMorning, 5);
  window.resize(seconds(6));
  EXPECT_FALSE(window.empty());
  window.resize(seconds(7));
  EXPECT_TRUE(window.empty());
}

// Held against a list of all values.
TEST(LoadWindowTest, IsTheMeanOfTheSecondsInIt) {
  std::mt19937 random(7);
  for (const int length : {1, 6, 59, 64}) {
    LoadWindow window = window_of(seconds(length));
    std::deque<std::pair<long, double>> all;
    long now = 0;
    for (int i = 0; i < 5000; ++i) {
      now += static_cast<long>(random() % 10 == 0 ? random() % 80 : 1);
      const double value = static_cast<double>(random() % 1'000'000) / 7;
      all.emplace_back(now, value);
      add(window, kMorning + seconds(now), value);
      while (all.front().first <= now - length) all.pop_front();
      double sum = 0;
      for (const auto& entry : all) sum += entry.second;
      ASSERT_NEAR(window.mean(), sum / static_cast<double>(all.size()), 1e-6);
    }
  }
}

TEST(BeyondChanceTest, RisesWithTheMeanAndIsBelowIt) {
  for (const Signal signal : {Signal::RequestsPerSecond, Signal::Concurrency, Signal::Sessions}) {
    double before = 0;
    for (double mean = 0; mean < 2000; mean += 0.05) {
      const double least = beyond_chance(signal, mean, seconds(6));
      ASSERT_GE(least, before) << mean;
      ASSERT_LE(least, mean);
      before = least;
    }
    EXPECT_GT(before, 1900);
  }
  EXPECT_DOUBLE_EQ(beyond_chance(Signal::RequestsPerSecond, 0.1, seconds(6)), 0);
  EXPECT_NEAR(beyond_chance(Signal::RequestsPerSecond, 150, seconds(6)), 29 * 29 / 6.0, 1e-9);
  EXPECT_NEAR(beyond_chance(Signal::RequestsPerSecond, 150, seconds(6), 4), 28 * 28 / 6.0, 1e-9);
  EXPECT_NEAR(beyond_chance(Signal::Concurrency, 16, seconds(0), 4), 4, 1e-9) << "one look";
  EXPECT_NEAR(beyond_chance(Signal::Concurrency, 18, seconds(6), 4), 8, 1e-9) << "two looks";
  EXPECT_DOUBLE_EQ(beyond_chance(Signal::Sessions, 3, seconds(6)), 3);
}

TEST(PodsForTest, RoundsUpAndStaysInRange) {
  const struct {
    double load;
    double per_pod;
    int want;
  } cases[] = {{0, 50, 0},
               {0.001, 50, 1},
               {50, 50, 1},
               {50.01, 50, 2},
               {200.00000000001, 50, 4},
               {412, 50, 9},
               {1e15, 1e-9, kMostReplicas},
               {-3, 50, 0},
               {std::nan(""), 50, 0},
               {1e300, 1e-300, kMostReplicas}};
  for (const auto& test : cases)
    EXPECT_EQ(pods_for(test.load, test.per_pod), test.want) << test.load;
}

}  // namespace
}  // namespace mcpfleet::scaling
