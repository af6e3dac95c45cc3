#include "metrics/window.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mcpfleet::metrics {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kEpoch = 1'767'225'600;

Instant at(double second) {
  const auto offset = duration_cast<Duration>(duration<double>(second));
  return {WallTime{seconds(static_cast<std::int64_t>(kEpoch))} + offset,
          MonotonicTime{std::chrono::hours(5)} + offset};
}

CallCounters kind(std::string tool, double requests, double errors = 0) {
  CallCounters counters{"tools/call", std::move(tool), requests, errors, {}};
  for (int i = 0; i < static_cast<int>(requests); ++i) counters.durations.observe(0.1);
  return counters;
}

Sample sample(std::vector<CallCounters> calls, std::optional<double> started = std::nullopt) {
  Sample result;
  result.in_flight = 1;
  if (started) result.process_start = kEpoch + *started;
  result.calls = std::move(calls);
  return result;
}

double covered(const PodView& view) { return duration<double>(view.covered).count(); }

TEST(PodWindowTest, OneScrapeIsOnlyAStartingPoint) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("a", 100)}));
  EXPECT_EQ(window.view().covered, Duration{0});
  EXPECT_EQ(window.view().total.requests, 0);
  EXPECT_EQ(window.view().in_flight, 1);
}

TEST(PodWindowTest, TellsIncreasesByKind) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("a", 100), kind("b", 5)}));
  window.add(at(1), sample({kind("a", 110, 2), kind("b", 5)}));
  window.add(at(2), sample({kind("a", 130, 3), kind("b", 5)}));
  const auto view = window.view();
  EXPECT_DOUBLE_EQ(covered(view), 2);
  EXPECT_EQ(view.total.requests, 30);
  EXPECT_EQ(view.total.errors, 3);
  EXPECT_EQ(view.total.durations.count(), 30u);
  EXPECT_NEAR(view.total.durations.sum(), 3, 1e-9);
  ASSERT_EQ(view.kinds.size(), 1u) << "b is idle";
  EXPECT_EQ(view.kinds[0].tool, "a");
}

TEST(PodWindowTest, ForgetsWhatIsOlderThanTheWindow) {
  PodWindow window(seconds(30));
  for (int i = 0; i <= 100; ++i) {
    // 10 calls a second for 50 seconds, then none.
    window.add(at(i), sample({kind("a", 10.0 * std::min(i, 50))}));
  }
  const auto view = window.view();
  EXPECT_DOUBLE_EQ(covered(view), 30);
  EXPECT_EQ(view.total.requests, 0);
}

TEST(PodWindowTest, KeepsTheStepThatStraddlesTheStart) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("a", 0)}));
  window.add(at(20), sample({kind("a", 20)}));
  window.add(at(40), sample({kind("a", 40)}));
  EXPECT_DOUBLE_EQ(covered(window.view()), 40);
  EXPECT_EQ(window.view().total.requests, 40);
}

TEST(PodWindowTest, AnswersOverAShorterTime) {
  PodWindow window(seconds(30));
  // 10 calls a second, and 50 in each of the last three.
  for (int i = 0; i <= 20; ++i)
    window.add(at(i), sample({kind("a", i <= 17 ? 10.0 * i : 170.0 + 50.0 * (i - 17))}));
  const struct {
    double within, covered, requests;
  } cases[] = {
      {2, 2, 100}, {3, 3, 150}, {6, 6, 180}, {6.4, 6, 180}, {6.6, 7, 190}, {30, 20, 320},
  };
  for (const auto& test : cases) {
    const auto view = window.view(duration_cast<Duration>(duration<double>(test.within)));
    EXPECT_DOUBLE_EQ(covered(view), test.covered) << test.within;
    EXPECT_EQ(view.total.requests, test.requests) << test.within;
    EXPECT_EQ(view.total.durations.count(), static_cast<std::uint64_t>(test.requests));
    EXPECT_EQ(view.in_flight, 1);
  }
  EXPECT_DOUBLE_EQ(covered(window.view()), 20);
}

TEST(PodWindowTest, AShorterTimeIsAtLeastTheLastStep) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("a", 0)}));
  EXPECT_EQ(window.view(seconds(2)).covered, Duration{0}) << "one scrape";
  window.add(at(10), sample({kind("a", 10)}));
  window.add(at(20), sample({kind("a", 30)}));
  const auto view = window.view(seconds(2));
  EXPECT_DOUBLE_EQ(covered(view), 10) << "and it says so";
  EXPECT_EQ(view.total.requests, 20);
}

TEST(PodWindowTest, SurvivesARestart) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("a", 1000)}, -500));
  window.add(at(1), sample({kind("a", 1010)}, -500));
  window.add(at(3), sample({kind("a", 4)}, 2));       // the counter fell
  window.add(at(4), sample({kind("a", 1200)}, 3.5));  // a new process that is already beyond
  const auto view = window.view();
  EXPECT_EQ(view.total.requests, 10 + 4 + 1200);
  EXPECT_EQ(view.total.durations.count(), 10u + 4u + 1200u);
  EXPECT_DOUBLE_EQ(covered(view), 4);
}

TEST(PodWindowTest, CountsFromTheProcessStartWhenThatIsRecent) {
  PodWindow window(seconds(30));
  window.add(at(4), sample({kind("a", 40)}, 0));
  EXPECT_NEAR(covered(window.view()), 4, 1e-6);
  EXPECT_EQ(window.view().total.requests, 40);
}

TEST(PodWindowTest, DoesNotBelieveAClockThatCannotBe) {
  const double starts[] = {-30, -1000, 5, 1000};
  for (const double start : starts) {
    PodWindow window(seconds(30));
    window.add(at(4), sample({kind("a", 40)}, start));
    EXPECT_EQ(window.view().covered, Duration{0}) << start;
  }
}

TEST(PodWindowTest, ANewKindCountsFromTheScrapeBefore) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("b", 7)}));
  window.add(at(1), sample({kind("a", 3), kind("b", 7)}));
  EXPECT_EQ(window.view().total.requests, 3);
}

TEST(PodWindowTest, StartsOverAfterAGapLongerThanTheWindow) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("a", 0)}));
  window.add(at(1), sample({kind("a", 10)}));
  window.add(at(40), sample({kind("a", 1000)}));
  EXPECT_EQ(window.view().covered, Duration{0});
  window.add(at(41), sample({kind("a", 1010)}));
  EXPECT_EQ(window.view().total.requests, 10);
  EXPECT_DOUBLE_EQ(covered(window.view()), 1);
}

TEST(PodWindowTest, NamesOfKindsDoNotPileUp) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("first", 0)}, -100));
  // Each second another process with other tools, as a hostile pod could do.
  for (int i = 1; i < 60; ++i) {
    std::vector<CallCounters> calls;
    for (int j = 0; j < 100; ++j)
      calls.push_back(kind("t" + std::to_string(1000 * i + j + 100'000), 1));
    window.add(at(i), sample(std::move(calls), i - 0.5));
  }
  const auto view = window.view();
  EXPECT_EQ(view.kinds.size(), 3000u);
  EXPECT_EQ(view.total.requests, 3000);
}

TEST(PodWindowTest, NamesIdleKindsOnlyWhereToolsAreFolded) {
  PodWindow window(seconds(30));
  window.add(at(0), sample({kind("_other", 5), kind("a", 1)}));
  window.add(at(1), sample({kind("_other", 6), kind("a", 1)}));
  const auto view = window.view();
  EXPECT_TRUE(view.folds_tools);
  EXPECT_EQ(view.kinds.size(), 2u);
}

}  // namespace
}  // namespace mcpfleet::metrics
