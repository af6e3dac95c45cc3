#include "tools/kubectl-mcp/page.h"

#include <algorithm>

#include "tools/kubectl-mcp/text.h"

namespace mcpfleet::kubectl {
namespace {

constexpr std::size_t kBetween = 2;  // columns of a table

const char* escape_of(Paint paint) {
  switch (paint) {
    case Paint::Strong:
      return "\x1b[1m";
    case Paint::Faint:
      return "\x1b[2m";
    case Paint::Warning:
      return "\x1b[33m";
    case Paint::Plain:
      break;
  }
  return "";
}

}  // namespace

std::string Page::painted(const std::string& text, Paint paint) const {
  if (!colour_ || paint == Paint::Plain) return text;
  return escape_of(paint) + text + "\x1b[0m";
}

void Page::line(std::size_t indent, const std::string& text, Paint paint) {
  if (!text.empty()) text_.append(indent, ' ').append(painted(text, paint));
  text_ += "\n";
}

void Page::heading(std::string_view text) {
  if (!text_.empty()) text_ += "\n";
  for (const auto& part : wrapped(text, width_)) line(0, part, Paint::Strong);
}

void Page::paragraph(std::size_t indent, std::string_view text, Paint paint) {
  for (const auto& part : wrapped(text, width_ - std::min(indent, width_))) {
    line(indent, part, paint);
  }
}

void Page::entry(std::size_t indent, std::string_view label, std::size_t hang,
                 std::string_view text, Paint paint) {
  const std::string head = shown(label);
  const auto parts = wrapped(text, width_ - std::min(hang, width_));
  text_.append(indent, ' ');
  if (indent + columns(head) + 1 > hang) {
    text_.append(painted(head, paint)).append("\n").append(hang, ' ');
  } else {
    text_.append(painted(head, paint)).append(hang - indent - columns(head), ' ');
  }
  text_.append(parts.front()).append("\n");
  for (std::size_t i = 1; i < parts.size(); ++i) line(hang, parts[i], Paint::Plain);
}

void Page::verbatim(std::size_t indent, std::string_view text) {
  line(indent, shown(text), Paint::Plain);
}

void Page::table(std::size_t indent, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], columns(shown(row[i])));
    }
  }
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      text += last ? shown(row[i]) : left(shown(row[i]), widths[i] + kBetween);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    line(indent, cut(text, width_ - std::min(indent, width_)), Paint::Plain);
  }
}

}  // namespace mcpfleet::kubectl
