// A page of plain text for people: headings, paragraphs, entries with a label, rows of a table.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mcpfleet::kubectl {

enum class Paint { Plain, Strong, Faint, Warning };

class Page {
 public:
  // Lines of at most `width` columns; `colour`: a terminal that shows escape sequences.
  Page(std::size_t width, bool colour) : width_(width), colour_(colour) {}

  // With an empty line before it, unless it is the first.
  void heading(std::string_view text);
  void paragraph(std::size_t indent, std::string_view text, Paint paint = Paint::Plain);
  // A label in column `indent`, and beside it, from column `hang` on, the text.
  void entry(std::size_t indent, std::string_view label, std::size_t hang, std::string_view text,
             Paint paint = Paint::Plain);
  // As it is, for something that is to be copied; never broken.
  void verbatim(std::size_t indent, std::string_view text);
  // Aligned rows, each with the same number of cells; the last cell of a row takes what is left.
  void table(std::size_t indent, const std::vector<std::vector<std::string>>& rows);

  const std::string& text() const { return text_; }

 private:
  void line(std::size_t indent, const std::string& text, Paint paint);
  std::string painted(const std::string& text, Paint paint) const;

  const std::size_t width_;
  const bool colour_;
  std::string text_;
};

}  // namespace mcpfleet::kubectl
