#include "metrics/exposition_writer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mcpfleet::metrics {
namespace {

using Type = ExpositionWriter::Type;

TEST(ExpositionWriter, WritesFamiliesAndEscapes) {
  ExpositionWriter out;
  out.family("mcp_requests_total", "Requests\nthat ended.", Type::Counter);
  out.sample("mcp_requests_total", {{"method", "tools/call"}, {"tool", "a\"b\\c\nd"}}, 3);
  out.family("mcp_draining", "Whether.", Type::Gauge);
  out.sample("mcp_draining", {}, 0);
  EXPECT_EQ(out.text(),
            "# HELP mcp_requests_total Requests\\nthat ended.\n"
            "# TYPE mcp_requests_total counter\n"
            "mcp_requests_total{method=\"tools/call\",tool=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# HELP mcp_draining Whether.\n"
            "# TYPE mcp_draining gauge\n"
            "mcp_draining 0\n");
}

TEST(ExpositionWriter, HistogramBucketsAreCumulativeAndEndWithInf) {
  Histogram histogram;
  histogram.observe(0.0005);
  histogram.observe(0.002);
  histogram.observe(500);
  ExpositionWriter out;
  out.histogram("d", {{"tool", "x"}}, histogram);
  const auto& text = out.text();
  EXPECT_NE(text.find("d_bucket{tool=\"x\",le=\"0.001\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("d_bucket{tool=\"x\",le=\"0.002\"} 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("d_bucket{tool=\"x\",le=\"+Inf\"} 3\nd_sum{tool=\"x\"} 500.0025\n"
                      "d_count{tool=\"x\"} 3\n"),
            std::string::npos)
      << text;
}

TEST(ExpositionWriter, ValuesReadBackAsTheSameNumber) {
  EXPECT_EQ(format_sample_value(0.1), "0.1");
  EXPECT_EQ(format_sample_value(0), "0");
  EXPECT_EQ(format_sample_value(HUGE_VAL), "+Inf");
  EXPECT_EQ(format_sample_value(-HUGE_VAL), "-Inf");
  EXPECT_EQ(format_sample_value(std::nan("")), "NaN");
}

}  // namespace
}  // namespace mcpfleet::metrics
