#include "metrics/exposition_parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mcpfleet::metrics {
namespace {

struct Seen {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  double value;
};

Result<std::vector<Seen>> parse(std::string_view text, const ExpositionLimits& limits = {}) {
  std::vector<Seen> seen;
  auto count = parse_exposition(text, limits, [&seen](const SeriesView& series) -> Result<void> {
    Seen one{std::string(series.name), {}, series.value};
    for (const auto& label : series.labels)
      one.labels.emplace_back(label.name, unescape_label(label.raw_value));
    seen.push_back(std::move(one));
    return {};
  });
  if (!count) return fail(count.error());
  EXPECT_EQ(*count, seen.size());
  return seen;
}

TEST(ExpositionParserTest, ReadsEveryFormOfALine) {
  const auto seen = parse(
      "# HELP a_total Things.\n"
      "# TYPE a_total counter\n"
      "a_total 3\n"
      "\n"
      "b{x=\"1\",y=\"two\"} 1.5 1700000000000\n"
      "  c { x = \"a\\\\b\\\"c\\nd\" , } +Inf\r\n"
      "d{} -Inf\n"
      "e NaN\n"
      "f 1e+09\n"
      "g:rate5m\t7\n"
      "h 1e999\n"
      "i 1e-999");
  ASSERT_TRUE(seen) << seen.error().message;
  ASSERT_EQ(seen->size(), 9u);
  EXPECT_EQ((*seen)[0].name, "a_total");
  EXPECT_EQ((*seen)[0].value, 3);
  EXPECT_EQ((*seen)[1].labels,
            (std::vector<std::pair<std::string, std::string>>{{"x", "1"}, {"y", "two"}}));
  EXPECT_EQ((*seen)[1].value, 1.5);
  EXPECT_EQ((*seen)[2].labels.front().second, "a\\b\"c\nd");
  EXPECT_EQ((*seen)[2].value, std::numeric_limits<double>::infinity());
  EXPECT_EQ((*seen)[3].value, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan((*seen)[4].value));
  EXPECT_EQ((*seen)[5].value, 1e9);
  EXPECT_EQ((*seen)[6].name, "g:rate5m");
  EXPECT_EQ((*seen)[7].value, std::numeric_limits<double>::infinity());
  EXPECT_EQ((*seen)[8].value, 0);
}

TEST(ExpositionParserTest, ReadsOpenMetrics) {
  std::vector<double> values;
  const auto read = parse_exposition(
      "# TYPE mcp_requests counter\n"
      "mcp_requests_total{tool=\"a # b\"} 17.0 1520879607.789 # {trace=\"x\"} 0.67 1520879607.7\n"
      "mcp_requests_created 1520872607.123\n"
      "depth_bucket{le=\"1.0\"} 3 # {} 0.5\n"
      "# EOF\n",
      {}, [&values](const SeriesView& series) -> Result<void> {
        values.push_back(series.value);
        return {};
      });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(values, (std::vector<double>{17, 1520872607.123, 3}));
}

TEST(ExpositionParserTest, SaysWhichLineIsWrongAndWhy) {
  const struct {
    const char* text;
    const char* want;
  } cases[] = {
      {"<html>", "line 1: a metric's name cannot start with '<'"},
      {"a 1\n\x01\x02", "line 2: a metric's name cannot start with byte 0x01"},
      {"a 1\n# ok\nb{", "line 3: the labels do not end"},
      {"a{1=\"x\"} 1", "line 1: a label's name cannot start with '1'"},
      {"a{b} 1", "line 1: label b has no value"},
      {"a{b=c} 1", "line 1: a label's value must start with a quotation mark"},
      {"a{b=\"c} 1", "line 1: a label's value does not end"},
      {"a{b=\"c\\\"} 1", "line 1: a label's value does not end"},
      {"a{b=\"c\" d=\"e\"} 1", "line 1: expected ',' or '}' but found 'd'"},
      {"a", "line 1: there is no value"},
      {"a{b=\"c\"}", "line 1: there is no value"},
      {"a one", "line 1: the value is no number"},
      {"a 1x", "line 1: the value is no number"},
      {"a 0x10", "line 1: the value is no number"},
      {"a + 1", "line 1: the value is no number"},
      {"a 1 soon", "line 1: what follows the value is no time stamp"},
      {"a 1 2 3", "line 1: what follows the value is no time stamp"},
      {"{\"json\": true}", "line 1: a metric's name cannot start with '{'"},
  };
  for (const auto& test : cases) {
    const auto got = parse(test.text);
    ASSERT_FALSE(got) << test.text;
    EXPECT_EQ(got.error().message, test.want);
    EXPECT_EQ(got.error().kind, ErrorKind::Malformed);
  }
}

TEST(ExpositionParserTest, HasBounds) {
  ExpositionLimits limits;
  limits.max_bytes = 64;
  limits.max_series = 2;
  limits.max_labels = 2;
  limits.max_name_length = 8;
  limits.max_label_length = 4;
  const struct {
    std::string text;
    const char* want;
  } cases[] = {
      {std::string(65, 'a'), "the metrics are larger than 64 bytes"},
      {"a 1\nb 1\nc 1", "line 3"},
      {"", nullptr},
      {"a 1\nb 2\n", nullptr},
  };
  for (const auto& test : cases) {
    const auto got = parse(test.text, limits);
    if (test.want == nullptr) {
      EXPECT_TRUE(got) << test.text;
      continue;
    }
    ASSERT_FALSE(got) << test.text;
    EXPECT_EQ(got.error().kind, ErrorKind::TooLarge);
  }
  EXPECT_EQ(parse("a{b=\"1\",c=\"2\",d=\"3\"} 1", limits).error().message,
            "line 1: it has more than 2 labels");
  EXPECT_EQ(parse("a{b=\"12345\"} 1", limits).error().message,
            "line 1: a label's value is longer than 4 bytes");
  EXPECT_EQ(parse("a23456789 1", limits).error().message,
            "line 1: a metric's name is longer than 8 bytes");
}

}  // namespace
}  // namespace mcpfleet::metrics
