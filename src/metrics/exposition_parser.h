// Reads Prometheus' text format, version 0.0.4, without copying it.
//
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based format).
// Thread safety: free functions without state.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::metrics {

// What one answer of one pod may cost us. Anything beyond is refused, never cut off.
struct ExpositionLimits {
  std::size_t max_bytes = 1024 * 1024;
  std::size_t max_series = 20'000;  // lines with a value
  std::size_t max_labels = 16;      // of one line
  std::size_t max_name_length = 256;
  std::size_t max_label_length = 1'024;  // bytes of one label's value, escaped
};

// A label as it stands in the text: `raw_value` still has its escapes, see unescape_label().
struct LabelView {
  std::string_view name;
  std::string_view raw_value;
};

// One line with a value. The views point into the parsed text. `value` may be NaN or infinite.
struct SeriesView {
  std::size_t line = 0;  // counts from 1, for messages
  std::string_view name;
  std::span<const LabelView> labels;
  double value = 0;

  // The raw value of a label, empty where there is none (Prometheus makes no difference).
  std::string_view label(std::string_view label_name) const;
};

// Decodes \\, \" and \n.
std::string unescape_label(std::string_view raw);

// "1.5", "+Inf", "NaN", "1e+09". Error: Malformed, without a position.
Result<double> parse_sample_value(std::string_view text);

// What to do with a series; an error ends the parsing and is passed on with the line in front.
using SeriesVisitor = std::function<Result<void>(const SeriesView&)>;

// Visits every series in order and returns their number. Comments (HELP, TYPE, EOF, …), time stamps
// and exemplars are read over, so that OpenMetrics is read as well as Prometheus' text format.
// Errors: TooLarge, Malformed; the message says which line and why.
Result<std::size_t> parse_exposition(std::string_view text, const ExpositionLimits& limits,
                                     const SeriesVisitor& visit);

}  // namespace mcpfleet::metrics
