// Writes the Prometheus text format 0.0.4
// (https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md).
//
// Thread safety: a plain value.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "metrics/histogram.h"

namespace mcpfleet::metrics {

// What GET /metrics says its body is.
inline constexpr std::string_view kExpositionContentType =
    "text/plain; version=0.0.4; charset=utf-8";

class ExpositionWriter {
 public:
  enum class Type { Counter, Gauge, Histogram };
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Starts a family. All its samples must follow before the next family. Names are the caller's to
  // get right; help texts and label values are escaped here.
  void family(std::string_view name, std::string_view help, Type type);

  void sample(std::string_view name, Labels labels, double value);
  // The _bucket (cumulative, with le), _sum and _count samples of one histogram.
  void histogram(std::string_view name, Labels labels, const Histogram& value);

  const std::string& text() const { return text_; }

 private:
  void label_set(Labels labels, std::string_view le);

  std::string text_;
};

// The shortest text that reads back as the same number; "+Inf", "-Inf", "NaN" as the format has it.
std::string format_sample_value(double value);

}  // namespace mcpfleet::metrics
