#include "metrics/exposition_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace mcpfleet::metrics {
namespace {

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

std::string_view word(ExpositionWriter::Type type) {
  switch (type) {
    case ExpositionWriter::Type::Counter:
      return "counter";
    case ExpositionWriter::Type::Gauge:
      return "gauge";
    case ExpositionWriter::Type::Histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

std::string format_sample_value(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

void ExpositionWriter::family(std::string_view name, std::string_view help, Type type) {
  text_.append("# HELP ").append(name).append(" ");
  append_escaped(text_, help, false);
  text_.append("\n# TYPE ").append(name).append(" ").append(word(type)).append("\n");
}

void ExpositionWriter::label_set(Labels labels, std::string_view le) {
  if (labels.size() == 0 && le.empty()) return;
  char separator = '{';
  const auto append = [&](std::string_view key, std::string_view value) {
    text_ += separator;
    separator = ',';
    text_.append(key).append("=\"");
    append_escaped(text_, value, true);
    text_ += '"';
  };
  for (const auto& [key, value] : labels) append(key, value);
  if (!le.empty()) append("le", le);
  text_ += '}';
}

void ExpositionWriter::sample(std::string_view name, Labels labels, double value) {
  text_.append(name);
  label_set(labels, {});
  text_.append(" ").append(format_sample_value(value)).append("\n");
}

void ExpositionWriter::histogram(std::string_view name, Labels labels, const Histogram& value) {
  const auto bounds = Histogram::bounds();
  const auto buckets = value.buckets();
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    cumulative += buckets[i];
    text_.append(name).append("_bucket");
    label_set(labels, i < bounds.size() ? format_sample_value(bounds[i]) : "+Inf");
    text_.append(" ").append(std::to_string(cumulative)).append("\n");
  }
  text_.append(name).append("_sum");
  label_set(labels, {});
  text_.append(" ").append(format_sample_value(value.sum())).append("\n");
  text_.append(name).append("_count");
  label_set(labels, {});
  text_.append(" ").append(std::to_string(value.count())).append("\n");
}

}  // namespace mcpfleet::metrics
