#include "tools/kubectl-mcp/page.h"

#include <algorithm>

#include "tools/kubectl-mcp/text.h"

namespace mcpfleet::kubectl {
namespace {

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

void Page::label(std::size_t indent, std::string_view text, std::size_t hang, Paint paint) {
  const std::string head = shown(text);
  text_.append(indent, ' ').append(painted(head, paint));
  if (indent + columns(head) + 1 > hang) {
    text_.append("\n").append(hang, ' ');
  } else {
    text_.append(hang - indent - columns(head), ' ');
  }
}

void Page::entry(std::size_t indent, std::string_view label_text, std::size_t hang,
                 std::string_view text, Paint paint) {
  label(indent, label_text, hang, paint);
  const auto parts = wrapped(text, width_ - std::min(hang, width_));
  text_.append(parts.front()).append("\n");
  for (std::size_t i = 1; i < parts.size(); ++i) line(hang, parts[i], Paint::Plain);
}

void Page::row(std::size_t indent, std::string_view label_text, std::size_t hang,
               std::string_view line_text) {
  label(indent, label_text, hang, Paint::Plain);
  text_.append(cut(line_text, width_ - std::min(hang, width_))).append("\n");
}

void Page::verbatim(std::size_t indent, std::string_view text) {
  line(indent, shown(text), Paint::Plain);
}

}  // namespace mcpfleet::kubectl
