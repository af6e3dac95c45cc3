#include "simulation/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace mcpfleet::simulation {
namespace {

std::unexpected<Error> refuse(const std::string& file, std::size_t line,
                              const std::string& sentence) {
  return fail(ErrorKind::Invalid, file + ":" + std::to_string(line) + ": " + sentence);
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string shown;
  for (const char letter : text.substr(0, kShown)) shown += letter < ' ' ? '?' : letter;
  return "\"" + shown + (text.size() > kShown ? "…\"" : "\"");
}

template <typename Number>
bool read(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Takes the next line off the text, without its end.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Error: a sentence without its place.
Result<void> add_row(std::string_view row, std::vector<double>& arrivals) {
  const auto comma = row.find(',');
  if (comma == std::string_view::npos || row.find(',', comma + 1) != std::string_view::npos)
    return fail(ErrorKind::Invalid, "a row must be second,requests, not " + quoted(row));
  const auto first = row.substr(0, comma);
  const auto last = row.substr(comma + 1);
  std::int64_t second = 0;
  if (!read(first, second) || second < 0 || second >= kMaxTraceSeconds)
    return fail(ErrorKind::Invalid, "second must be a whole number from 0 to " +
                                        std::to_string(kMaxTraceSeconds - 1) + ", not " +
                                        quoted(first));
  if (second < std::ssize(arrivals))
    return fail(ErrorKind::Invalid, "seconds must rise, and " + std::to_string(second) +
                                        " comes after " + std::to_string(arrivals.size() - 1));
  double requests = 0;
  if (!read(last, requests) || !std::isfinite(requests) || requests < 0 || requests > kMaxArrivals)
    return fail(ErrorKind::Invalid,
                "requests must be a number from 0 to 10000000, not " + quoted(last));
  arrivals.resize(static_cast<std::size_t>(second), 0);
  arrivals.push_back(requests);
  return {};
}

}  // namespace

Result<Trace> parse_csv(std::string_view text, const std::string& file) {
  Trace trace{file, {}};
  std::size_t line = 1;
  if (const auto header = next_line(text); header != "second,requests")
    return refuse(file, line, "the first line must be second,requests, not " + quoted(header));
  while (!text.empty()) {
    ++line;
    const auto row = next_line(text);
    if (row.empty()) continue;
    if (auto added = add_row(row, trace.arrivals); !added)
      return refuse(file, line, added.error().message);
  }
  if (trace.arrivals.empty()) return refuse(file, line, "there is no row after the first line");
  return trace;
}

void scale(Trace& trace, double factor) {
  for (double& arrivals : trace.arrivals) arrivals *= factor;
}

void spread(Trace& trace, int seconds) {
  if (seconds <= 1) return;
  const std::size_t most = trace.arrivals.size();
  std::size_t tick = 0;
  while (tick < most) {
    if (trace.arrivals[tick] <= 0) {
      ++tick;
      continue;
    }
    std::size_t next = tick + 1;
    const std::size_t end = std::min(most, tick + static_cast<std::size_t>(seconds));
    while (next < end && trace.arrivals[next] <= 0) ++next;
    const double each = trace.arrivals[tick] / static_cast<double>(next - tick);
    std::fill(trace.arrivals.begin() + static_cast<std::ptrdiff_t>(tick),
              trace.arrivals.begin() + static_cast<std::ptrdiff_t>(next), each);
    tick = next;
  }
}

}  // namespace mcpfleet::simulation
