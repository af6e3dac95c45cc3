#include "mcp/text_edit.h"

#include <algorithm>
#include <vector>

namespace mcpfleet::mcp {

std::string edited(std::string_view text, std::size_t origin,
                   std::initializer_list<TextEdit> edits) {
  std::vector<TextEdit> sorted(edits);
  std::erase_if(sorted, [](const auto& edit) { return edit.at.end == 0; });
  std::ranges::sort(sorted, {}, [](const auto& edit) { return edit.at.begin; });
  std::string out;
  out.reserve(text.size() + 64);
  std::size_t at = 0;
  for (const auto& edit : sorted) {
    out.append(text.substr(at, edit.at.begin - origin - at)).append(edit.value);
    at = edit.at.end - origin;
  }
  return out.append(text.substr(at));
}

}  // namespace mcpfleet::mcp
