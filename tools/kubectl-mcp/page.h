// A page of plain text for people: headings, paragraphs, entries with a label.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

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
  void entry(std::size_t indent, std::string_view label_text, std::size_t hang,
             std::string_view text, Paint paint = Paint::Plain);
  // The same with one of the lines of aligned(): its spaces stay, and it is cut, not wrapped.
  void row(std::size_t indent, std::string_view label_text, std::size_t hang,
           std::string_view line_text);
  // As it is, for something that is to be copied; never broken.
  void verbatim(std::size_t indent, std::string_view text);

  const std::string& text() const { return text_; }

 private:
  // The label, and spaces up to `hang`; on a line of its own where it is too long.
  void label(std::size_t indent, std::string_view text, std::size_t hang, Paint paint);
  void line(std::size_t indent, const std::string& text, Paint paint);
  std::string painted(const std::string& text, Paint paint) const;

  const std::size_t width_;
  const bool colour_;
  std::string text_;
};

}  // namespace mcpfleet::kubectl
