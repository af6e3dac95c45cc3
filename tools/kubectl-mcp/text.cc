#include "tools/kubectl-mcp/text.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::kubectl {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The bytes of the first `most` code points.
std::size_t bytes_of(std::string_view text, std::size_t most) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    if (!continues(text[at]) && seen++ == most) break;
  }
  return at;
}

}  // namespace

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

std::string shown(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, which some terminals take for escape sequences.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && continues(text[i + 1]) &&
                    static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    result += c1 || byte < 0x20 || byte == 0x7F ? ' ' : text[i];
  }
  return result;
}

std::string cut(std::string_view text, std::size_t most) {
  std::string result = shown(text);
  if (columns(result) <= most) return result;
  result.resize(bytes_of(result, most == 0 ? 0 : most - 1));
  return most == 0 ? result : result + "…";
}

std::string left(std::string text, std::size_t width) {
  const auto taken = columns(text);
  if (taken < width) text.append(width - taken, ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  const auto taken = columns(text);
  return taken < width ? std::string(width - taken, ' ') + text : text;
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows) {
  constexpr std::size_t kBetween = 2;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += left(shown(row[i]), widths[i] + kBetween);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(width, 1);
  const std::string clean = shown(text);
  std::vector<std::string> lines{""};
  for (std::size_t at = 0; at < clean.size();) {
    if (clean[at] == ' ') {
      ++at;
      continue;
    }
    const auto end = std::min(clean.find(' ', at), clean.size());
    std::string_view word = std::string_view(clean).substr(at, end - at);
    at = end;
    const auto room = columns(lines.back()) + 1 + columns(word);
    if (!lines.back().empty() && room > width) lines.emplace_back();
    for (; columns(word) > width; word.remove_prefix(bytes_of(word, width))) {
      lines.back() = word.substr(0, bytes_of(word, width));
      lines.emplace_back();
    }
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

}  // namespace mcpfleet::kubectl
