#include "tools/kubectl-mcp/value_text.h"

#include <gtest/gtest.h>

namespace mcpfleet::kubectl {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(ValueText, NumbersHaveThreeDigits) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(12.345), "12.3");
  EXPECT_EQ(number_text(99.96), "100");
  EXPECT_EQ(number_text(999.7), "1000");
  EXPECT_EQ(number_text(123456.7), "123457");
}

TEST(ValueText, DurationsHaveAUnit) {
  EXPECT_EQ(seconds_text(0), "0ms");
  EXPECT_EQ(seconds_text(0.0123456), "12.3ms");
  EXPECT_EQ(seconds_text(0.9999), "1s");
  EXPECT_EQ(seconds_text(1.2345), "1.23s");
  EXPECT_EQ(seconds_text(119.9), "119s");
  EXPECT_EQ(seconds_text(125), "2m5s");
}

TEST(ValueText, ByTheMetric) {
  EXPECT_EQ(metric_text("mcp_request_duration_seconds_p95", 0.48), "480ms");
  EXPECT_EQ(metric_text("mcp_error_ratio", 0.025), "2.5%");
  EXPECT_EQ(metric_text("mcp_requests_per_second", 0.48), "0.48");
}

TEST(ValueText, WhatAStatusHas) {
  EXPECT_EQ(stored_text("mcp_request_duration_seconds_p95 of tool x", "480m"), "480ms");
  EXPECT_EQ(stored_text("mcp_request_duration_seconds_p95", "> 0.5"), "> 500ms");
  EXPECT_EQ(stored_text("mcp_requests_per_second", "12500m"), "12.5");
  EXPECT_EQ(stored_text("cpu", "63%"), "63%");
  EXPECT_EQ(stored_text("cpu", "about half of it"), "about half of it");
}

TEST(ValueText, AgesAsKubectlHasThem) {
  EXPECT_EQ(age_text(seconds(-3)), "0s");
  EXPECT_EQ(age_text(seconds(119)), "119s");
  EXPECT_EQ(age_text(seconds(120)), "2m");
  EXPECT_EQ(age_text(seconds(185)), "3m5s");
  EXPECT_EQ(age_text(minutes(47)), "47m");
  EXPECT_EQ(age_text(minutes(190)), "3h10m");
  EXPECT_EQ(age_text(hours(12)), "12h");
  EXPECT_EQ(age_text(hours(49)), "2d1h");
  EXPECT_EQ(age_text(hours(24 * 9)), "9d");
}

TEST(ValueText, SpansOfASpec) {
  EXPECT_EQ(span_text(milliseconds(200)), "200ms");
  EXPECT_EQ(span_text(seconds(60)), "60s");
  EXPECT_EQ(span_text(minutes(90)), "90m");
  EXPECT_EQ(span_text(hours(24)), "24h");
}

}  // namespace
}  // namespace mcpfleet::kubectl
