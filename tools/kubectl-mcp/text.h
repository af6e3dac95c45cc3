// Text for terminals: columns, cutting, wrapping. A column is taken for a code point.
//
// What is shown came from the cluster, where others write: control characters, with which a text
// could steer the terminal, become spaces. Pure: free functions without state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mcpfleet::kubectl {

// How many columns a text of UTF-8 takes.
std::size_t columns(std::string_view text);

// The text in one line that a terminal can be shown: without control characters.
std::string shown(std::string_view text);

// shown(), at most `most` columns, with "…" where something was cut off.
std::string cut(std::string_view text, std::size_t most);

// With spaces behind it, or before it, up to `width` columns.
std::string left(std::string text, std::size_t width);
std::string right(const std::string& text, std::size_t width);

// A line of each row, with the cells of a column below each other.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows);

// shown() in lines of at most `width` columns, broken between words; a word that is longer than a
// line is broken anywhere. Never empty.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace mcpfleet::kubectl
