#include "simulation/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "simulation/generate.h"

namespace mcpfleet::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Csv, SecondsThatAreLeftOutHaveNoCalls) {
  const auto trace = parse_csv("second,requests\r\n0,10\n3,2.5\n\n", "t.csv");
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_THAT(trace->arrivals, ElementsAre(10, 0, 0, 2.5));
}

TEST(Csv, RefusesByFileAndLine) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : std::vector<Case>{
           {"", "t.csv:1: the first line must be second,requests, not \"\""},
           {"time,calls\n", "t.csv:1: the first line must be second,requests, not \"time,calls\""},
           {"second,requests\n", "t.csv:1: there is no row after the first line"},
           {"second,requests\n1\n", "t.csv:2: a row must be second,requests, not \"1\""},
           {"second,requests\n1,2,3\n", "t.csv:2: a row must be second,requests, not \"1,2,3\""},
           {"second,requests\n0,1\nx,1\n",
            "t.csv:3: second must be a whole number from 0 to 604799, not \"x\""},
           {"second,requests\n-1,1\n",
            "t.csv:2: second must be a whole number from 0 to 604799, not \"-1\""},
           {"second,requests\n604800,1\n",
            "t.csv:2: second must be a whole number from 0 to 604799, not \"604800\""},
           {"second,requests\n5,1\n5,1\n", "t.csv:3: seconds must rise, and 5 comes after 5"},
           {"second,requests\n0,-1\n",
            "t.csv:2: requests must be a number from 0 to 10000000, not \"-1\""},
           {"second,requests\n0,nan\n",
            "t.csv:2: requests must be a number from 0 to 10000000, not \"nan\""},
           {"second,requests\n0,1e9\n",
            "t.csv:2: requests must be a number from 0 to 10000000, not \"1e9\""}}) {
    const auto trace = parse_csv(text, "t.csv");
    ASSERT_FALSE(trace) << text;
    EXPECT_EQ(trace.error().message, message);
  }
}

TEST(Trace, IsScaledAndSpread) {
  Trace trace{"", {6, 0, 0, 3, 0, 0, 0, 0, 9}};
  scale(trace, 2);
  spread(trace, 3);
  EXPECT_THAT(trace.arrivals, ElementsAre(4, 4, 4, 2, 2, 2, 0, 0, 18));
  spread(trace, 1);
  EXPECT_EQ(trace.arrivals[0], 4);
}

constexpr const char* kHistory = R"({"kind": "MetricHistory", "metric": "mcp_requests_per_second",
  "series": [{"labels": {}, "samples": [
    {"timestamp": "2026-01-01T00:00:00Z", "value": "1500m"},
    {"timestamp": "2026-01-01T00:00:02Z", "value": "3"},
    {"timestamp": "2026-01-01T00:00:06Z", "value": "4"}]}]})";

TEST(History, ASampleLastsUntilTheNextOneAndAGapHasNoCalls) {
  const auto trace = parse_history(kHistory, "h.json");
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_THAT(trace->arrivals, ElementsAre(1.5, 1.5, 3, 3, 0, 0, 4, 4));
}

TEST(History, MayBeOfMinutes) {
  const auto trace = parse_history(
      R"({"metric": "mcp_requests_per_second", "series": [{"minutes": [
        {"timestamp": "2026-01-01T00:00:00Z", "count": 60, "avg": "2"},
        {"timestamp": "2026-01-01T00:01:00Z", "count": 0},
        {"timestamp": "2026-01-01T00:02:00Z", "count": 60, "avg": "3"}]}]})",
      "h.json");
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_EQ(trace->arrivals.size(), 180U);
  EXPECT_EQ(trace->arrivals[59], 2);
  EXPECT_EQ(trace->arrivals[60], 0);
  EXPECT_EQ(trace->arrivals[179], 3);
}

TEST(History, RefusesWhatIsNone) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : std::vector<Case>{
           {"{", "h.json: it must be CSV, or the JSON of a history"},
           {"{}", "h.json: metric must be mcp_requests_per_second"},
           {R"({"metric": "mcp_requests_per_second"})", "h.json: series must be a list of one"},
           {R"({"metric": "mcp_requests_per_second", "series": [{"samples": []}]})",
            "h.json: series[0] has no samples"},
           {R"({"metric": "mcp_requests_per_second", "series": [{"samples": [{"value": "1"}]}]})",
            "h.json: series[0].samples[0] must have a later timestamp"}}) {
    const auto trace = parse_history(text, "h.json");
    ASSERT_FALSE(trace) << text;
    EXPECT_THAT(trace.error().message, HasSubstr(message));
  }
}

TEST(Shape, RefusesByName) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : std::vector<Case>{
           {"square", "\"square\" is not one of steps, ramp, spike, day, noise"},
           {"day:base", "\"base\" must be name=value"},
           {"day:speed=1",
            "\"speed\" is not one of base, peak, seconds, hold, every, period, seed, poisson"},
           {"day:base=x", "base must be a number from 0 to 10000000, not \"x\""},
           {"day:seconds=0", "seconds must be a number from 1 to 604800, not \"0\""},
           {"day:base=5,peak=1", "peak must not be less than base"}}) {
    const auto shape = parse_shape(text);
    ASSERT_FALSE(shape) << text;
    EXPECT_EQ(shape.error().message, message);
  }
}

double mean(const Trace& trace) {
  return std::accumulate(trace.arrivals.begin(), trace.arrivals.end(), 0.0) /
         static_cast<double>(trace.arrivals.size());
}

TEST(Generate, TheSameTextGivesTheSameTrace) {
  for (const char* text : {"steps", "ramp", "spike", "day", "noise"}) {
    const Trace one = generate(*parse_shape(text), text);
    EXPECT_EQ(one.arrivals, generate(*parse_shape(text), text).arrivals) << text;
    const std::string other = std::string(text) + ":seed=2";
    EXPECT_NE(one.arrivals, generate(*parse_shape(other), other).arrivals) << text;
  }
}

TEST(Generate, HasTheRateThatWasAskedFor) {
  for (const double rate : {0.5, 5.0, 50.0, 500.0}) {
    const Shape shape{.kind = Shape::Kind::Ramp, .base = rate, .peak = rate, .seconds = 20'000};
    const Trace trace = generate(shape, "");
    EXPECT_NEAR(mean(trace), rate, 4 * std::sqrt(rate / 20'000));
    double squares = 0;
    for (const double calls : trace.arrivals) squares += (calls - rate) * (calls - rate);
    EXPECT_NEAR(squares / 20'000 / rate, 1, 0.06) << "a Poisson's variance is its mean";
  }
}

TEST(Generate, WithoutChanceItIsExact) {
  const Trace ramp = generate(*parse_shape("ramp:base=0,peak=10,hold=10,seconds=31,poisson=0"), "");
  EXPECT_EQ(ramp.arrivals[5], 5);
  EXPECT_EQ(ramp.arrivals[15], 10);
  EXPECT_EQ(ramp.arrivals[25], 5);
  EXPECT_EQ(ramp.arrivals[30], 0);
  const Trace spike = generate(*parse_shape("spike:every=10,hold=2,seconds=20,poisson=0"), "");
  EXPECT_EQ(spike.arrivals[7], 100);
  EXPECT_EQ(spike.arrivals[8], 1000);
  EXPECT_EQ(spike.arrivals[10], 100);
  const Trace day = generate(*parse_shape("day:seconds=86400,poisson=0"), "");
  EXPECT_NEAR(day.arrivals[0], 100, 1e-9);
  EXPECT_NEAR(day.arrivals[43'200], 1000, 1e-9);
}

}  // namespace
}  // namespace mcpfleet::simulation
