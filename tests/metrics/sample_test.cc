#include "metrics/sample.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "metrics/exposition_writer.h"

namespace mcpfleet::metrics {
namespace {

std::string exposition() {
  Histogram durations;
  durations.observe(0.0005);
  durations.observe(0.3);
  durations.observe(500);
  ExpositionWriter writer;
  writer.family("mcp_requests_total", "Requests.", ExpositionWriter::Type::Counter);
  writer.sample("mcp_requests_total", {{"method", "tools/call"}, {"tool", "se\"arch"}}, 3);
  writer.sample("mcp_requests_total", {{"method", "initialize"}, {"tool", ""}}, 7);
  writer.family("mcp_request_errors_total", "Errors.", ExpositionWriter::Type::Counter);
  writer.sample("mcp_request_errors_total", {{"method", "tools/call"}, {"tool", "se\"arch"}}, 1);
  writer.family("mcp_request_duration_seconds", "Durations.", ExpositionWriter::Type::Histogram);
  writer.histogram("mcp_request_duration_seconds", {{"method", "tools/call"}, {"tool", "se\"arch"}},
                   durations);
  writer.family("mcp_requests_in_flight", "In flight.", ExpositionWriter::Type::Gauge);
  writer.sample("mcp_requests_in_flight", {}, 2);
  writer.sample("mcp_active_sessions", {}, 4);
  writer.sample("mcp_draining", {}, 1);
  writer.sample("process_start_time_seconds", {}, 1767225600.25);
  writer.sample("somebody_elses", {}, -1);
  return writer.text();
}

TEST(SampleTest, ReadsWhatASidecarWrites) {
  const auto sample = read_sample(exposition(), {});
  ASSERT_TRUE(sample) << sample.error().message;
  EXPECT_EQ(sample->in_flight, 2);
  EXPECT_EQ(sample->sessions, 4);
  EXPECT_TRUE(sample->draining);
  EXPECT_EQ(sample->process_start, 1767225600.25);
  ASSERT_EQ(sample->calls.size(), 2u);
  EXPECT_EQ(sample->calls[0].method, "initialize");
  EXPECT_EQ(sample->calls[0].requests, 7);
  EXPECT_EQ(sample->calls[1].tool, "se\"arch");
  EXPECT_EQ(sample->calls[1].requests, 3);
  EXPECT_EQ(sample->calls[1].errors, 1);
  EXPECT_EQ(sample->calls[1].durations.count(), 3u);
  EXPECT_DOUBLE_EQ(sample->calls[1].durations.sum(), 500.3005);
  EXPECT_EQ(sample->calls[1].durations.buckets()[0], 1u);
  EXPECT_EQ(sample->calls[1].durations.buckets()[Histogram::kBuckets - 1], 1u);
}

TEST(SampleTest, CountsForeignBoundsInOurNextLargerBucket) {
  const auto sample = read_sample(
      "mcp_request_duration_seconds_bucket{method=\"m\",tool=\"\",le=\"0.1\"} 2\n"
      "mcp_request_duration_seconds_bucket{method=\"m\",tool=\"\",le=\"+Inf\"} 3\n",
      {});
  ASSERT_TRUE(sample) << sample.error().message;
  const auto& durations = sample->calls.at(0).durations;
  EXPECT_EQ(durations.count(), 3u);
  const auto buckets = durations.buckets();
  const auto at = std::ranges::find(buckets, 2u) - buckets.begin();
  const auto bound = Histogram::bounds()[static_cast<std::size_t>(at)];
  EXPECT_GE(bound, 0.1);
  EXPECT_LT(bound, 0.1 * 1.5);
}

TEST(SampleTest, RefusesWhatCannotBeCounted) {
  const char* bucket = "mcp_request_duration_seconds_bucket{method=\"m\",le=";
  const struct {
    std::string text;
    const char* want;
  } cases[] = {
      {"mcp_requests_total NaN", "line 1: mcp_requests_total must be a finite number"},
      {"mcp_requests_total -1", "line 1: mcp_requests_total must be a finite number"},
      {"a 1\nmcp_requests_in_flight +Inf", "line 2: mcp_requests_in_flight must be a finite"},
      {"mcp_active_sessions 1e300", "line 1: mcp_active_sessions must be a finite number"},
      {bucket + std::string("\"x\"} 1"), "line 1: the bucket's label le is no number"},
      {bucket + std::string("\"2\"} 1\n") + bucket + "\"1\"} 1",
       "line 2: the buckets are not in ascending order"},
      {bucket + std::string("\"1\"} 5\n") + bucket + "\"2\"} 4",
       "line 2: the buckets are not in ascending order"},
  };
  for (const auto& test : cases) {
    const auto got = read_sample(test.text, {});
    ASSERT_FALSE(got) << test.text;
    EXPECT_EQ(got.error().message.substr(0, std::string(test.want).size()), test.want);
  }
}

TEST(SampleTest, TellsWhetherAnythingIsOurs) {
  EXPECT_FALSE(read_sample("", {})->has_mcp);
  EXPECT_FALSE(read_sample("go_goroutines 7\nprocess_start_time_seconds 1\n", {})->has_mcp);
  EXPECT_TRUE(read_sample("go_goroutines 7\nmcp_active_sessions 0\n", {})->has_mcp);
}

TEST(SampleTest, ShowsEverySeries) {
  std::vector<std::string> seen;
  ASSERT_TRUE(read_sample("up 1\nmcp_active_sessions 0\nx{a=\"b\"} NaN\n", {},
                          [&seen](const SeriesView& series) { seen.emplace_back(series.name); }));
  EXPECT_EQ(seen, (std::vector<std::string>{"up", "mcp_active_sessions", "x"}));
}

TEST(SampleTest, BoundsTheKindsOfRequests) {
  std::string text;
  for (std::size_t i = 0; i <= kMaxKinds; ++i)
    text += "mcp_requests_total{tool=\"t" + std::to_string(i) + "\"} 1\n";
  const auto got = read_sample(text, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::TooLarge);
}

}  // namespace
}  // namespace mcpfleet::metrics
