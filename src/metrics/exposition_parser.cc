#include "metrics/exposition_parser.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace mcpfleet::metrics {
namespace {

// Which characters a name may have; a table, since most of a text is names.
enum NameChar : std::uint8_t { kNone = 0, kInside = 1, kFirst = 2 };

constexpr std::array<std::uint8_t, 256> kNameChars = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t c = 'a'; c <= 'z'; ++c) table[c] = kInside | kFirst;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) table[c] = kInside | kFirst;
  for (std::size_t c = '0'; c <= '9'; ++c) table[c] = kInside;
  table['_'] = table[':'] = kInside | kFirst;
  return table;
}();

bool starts_name(char c) { return (kNameChars[static_cast<unsigned char>(c)] & kFirst) != 0; }
bool continues_name(char c) { return kNameChars[static_cast<unsigned char>(c)] != kNone; }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
}

// A character as a person can read it in a message: garbage is often not printable.
std::string shown(char c) {
  if (c >= 0x20 && c < 0x7f) return std::string("'") + c + "'";
  static constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return std::string("byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
}

// Takes a metric or label name off the front; empty where there is none.
std::string_view take_name(std::string_view& rest) {
  if (rest.empty() || !starts_name(rest.front())) return {};
  std::size_t length = 1;
  while (length < rest.size() && continues_name(rest[length])) ++length;
  const auto name = rest.substr(0, length);
  rest.remove_prefix(length);
  return name;
}

// Takes `"value"` off the front.
Result<std::string_view> take_quoted(std::string_view& rest, const ExpositionLimits& limits) {
  if (rest.empty() || rest.front() != '"')
    return fail(ErrorKind::Malformed, "a label's value must start with a quotation mark");
  std::size_t at = 1;
  while (at < rest.size() && rest[at] != '"') at += rest[at] == '\\' ? 2 : 1;
  if (at >= rest.size()) return fail(ErrorKind::Malformed, "a label's value does not end");
  if (at - 1 > limits.max_label_length)
    return fail(ErrorKind::TooLarge, "a label's value is longer than " +
                                         std::to_string(limits.max_label_length) + " bytes");
  const auto value = rest.substr(1, at - 1);
  rest.remove_prefix(at + 1);
  return value;
}

// Takes `name="value"` off the front.
Result<LabelView> take_label(std::string_view& rest, const ExpositionLimits& limits) {
  LabelView label;
  label.name = take_name(rest);
  if (label.name.empty())
    return fail(ErrorKind::Malformed,
                rest.empty() ? "the labels do not end"
                             : "a label's name cannot start with " + shown(rest.front()));
  if (label.name.size() > limits.max_name_length)
    return fail(ErrorKind::TooLarge, "a label's name is longer than " +
                                         std::to_string(limits.max_name_length) + " bytes");
  skip_blanks(rest);
  if (rest.empty() || rest.front() != '=')
    return fail(ErrorKind::Malformed, "label " + std::string(label.name) + " has no value");
  rest.remove_prefix(1);
  skip_blanks(rest);
  auto value = take_quoted(rest, limits);
  if (!value) return fail(value.error());
  label.raw_value = *value;
  return label;
}

// Takes `{a="b",c="d",}` off the front.
Result<void> take_labels(std::string_view& rest, const ExpositionLimits& limits,
                         std::vector<LabelView>& labels) {
  rest.remove_prefix(1);
  for (;;) {
    skip_blanks(rest);
    if (!rest.empty() && rest.front() == '}') break;
    if (labels.size() == limits.max_labels)
      return fail(ErrorKind::TooLarge,
                  "it has more than " + std::to_string(limits.max_labels) + " labels");
    auto label = take_label(rest, limits);
    if (!label) return fail(label.error());
    labels.push_back(*label);
    skip_blanks(rest);
    if (!rest.empty() && rest.front() == ',') {
      rest.remove_prefix(1);
    } else if (rest.empty() || rest.front() != '}') {
      return fail(ErrorKind::Malformed,
                  rest.empty() ? "the labels do not end"
                               : "expected ',' or '}' but found " + shown(rest.front()));
    }
  }
  rest.remove_prefix(1);
  return {};
}

Result<void> check_timestamp(std::string_view text) {
  double ignored = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ignored);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ErrorKind::Malformed, "what follows the value is no time stamp");
  return {};
}

// One line that is neither empty nor a comment.
Result<void> parse_line(std::string_view rest, const ExpositionLimits& limits,
                        std::vector<LabelView>& labels, SeriesView& series) {
  labels.clear();
  series.name = take_name(rest);
  if (series.name.empty())
    return fail(ErrorKind::Malformed, "a metric's name cannot start with " + shown(rest.front()));
  if (series.name.size() > limits.max_name_length)
    return fail(ErrorKind::TooLarge, "a metric's name is longer than " +
                                         std::to_string(limits.max_name_length) + " bytes");
  skip_blanks(rest);
  if (!rest.empty() && rest.front() == '{') {
    auto taken = take_labels(rest, limits, labels);
    if (!taken) return fail(taken.error());
  }
  series.labels = labels;
  skip_blanks(rest);
  rest = rest.substr(0, rest.find('#'));  // an exemplar
  while (!rest.empty() && (is_blank(rest.back()) || rest.back() == '\r')) rest.remove_suffix(1);
  const auto space = rest.find_first_of(" \t");
  auto value = parse_sample_value(rest.substr(0, space));
  if (!value) return fail(value.error());
  series.value = *value;
  if (space == std::string_view::npos) return {};
  rest.remove_prefix(space);
  skip_blanks(rest);
  return check_timestamp(rest);
}

bool is_ignored(std::string_view line) {
  skip_blanks(line);
  return line.empty() || line.front() == '#' || line == "\r";
}

}  // namespace

std::string_view SeriesView::label(std::string_view label_name) const {
  for (const auto& label : labels)
    if (label.name == label_name) return label.raw_value;
  return {};
}

std::string unescape_label(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\\' && i + 1 < raw.size()) {
      ++i;
      text += raw[i] == 'n' ? '\n' : raw[i];
    } else {
      text += raw[i];
    }
  }
  return text;
}

Result<double> parse_sample_value(std::string_view text) {
  auto number = text;
  if (!number.empty() && number.front() == '+') number.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.empty() || end != number.data() + number.size() ||
      error == std::errc::invalid_argument)
    return fail(ErrorKind::Malformed,
                text.empty() ? std::string("there is no value") : "the value is no number");
  if (error != std::errc::result_out_of_range) return value;
  // Beyond double's range: too near to zero or too far from it.
  if (number.find("e-") != std::string_view::npos || number.find("E-") != std::string_view::npos)
    return 0.0;
  return std::copysign(std::numeric_limits<double>::infinity(), number.front() == '-' ? -1.0 : 1.0);
}

Result<std::size_t> parse_exposition(std::string_view text, const ExpositionLimits& limits,
                                     const SeriesVisitor& visit) {
  if (text.size() > limits.max_bytes)
    return fail(ErrorKind::TooLarge,
                "the metrics are larger than " + std::to_string(limits.max_bytes) + " bytes");
  std::vector<LabelView> labels;
  labels.reserve(limits.max_labels);
  std::size_t count = 0;
  SeriesView series;
  const auto at_line = [&series](const Error& error) {
    return fail(error.context("line " + std::to_string(series.line)));
  };
  while (!text.empty()) {
    ++series.line;
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (is_ignored(line)) continue;
    if (++count > limits.max_series)
      return fail(ErrorKind::TooLarge,
                  "there are more than " + std::to_string(limits.max_series) + " series");
    auto trimmed = line;
    skip_blanks(trimmed);
    auto parsed = parse_line(trimmed, limits, labels, series);
    if (!parsed) return at_line(parsed.error());
    auto visited = visit(series);
    if (!visited) return at_line(visited.error());
  }
  return count;
}

}  // namespace mcpfleet::metrics
