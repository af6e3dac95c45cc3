// Changes values inside a JSON text without parsing it anew.
//
// Thread safety: plain functions.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "mcp/message_scanner.h"

namespace mcpfleet::mcp {

// Puts `value`, raw JSON, in the place of what is at `at`. An empty span is no edit.
struct TextEdit {
  Span at;
  std::string_view value;
};

// `text` with the edits made, which must not overlap. Spans count from `origin`, where `text`
// begins in what was scanned.
std::string edited(std::string_view text, std::size_t origin,
                   std::initializer_list<TextEdit> edits);

}  // namespace mcpfleet::mcp
