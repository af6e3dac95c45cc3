// What a list and a watch event say of themselves, without building trees of their objects.
//
// simdjson behind a plain interface: 20 times the speed of a DOM at a thirteenth of its memory.
// Thread safety: any thread; each keeps a parser of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::kube {

struct ListPage {
  std::string resource_version;
  std::string continue_token;  // empty: the last page
};

// The metadata of a list whose items were taken out. `text` gets capacity for the parser's padding
// but keeps its content. Error: Malformed. What is missing is empty.
Result<ListPage> parse_list_envelope(std::string& text);

// One line of a watch.
struct WatchEvent {
  enum class Type { Added, Modified, Deleted, Bookmark, Error };
  Type type = Type::Error;
  std::string_view object;  // raw text, into the buffer; the Status of an Error
  std::string resource_version;
  std::string namespace_;
  std::string name;
  int error_code = 0;  // of an Error
  bool initial_events_end =
      false;  // of a Bookmark: the list that a WatchList begins with is complete
};

// The line of `size` bytes at `begin` of `buffer`, which gets capacity for the parser's padding.
// Error: Malformed. The result points into `buffer`.
Result<WatchEvent> parse_watch_event(std::string& buffer, std::size_t begin, std::size_t size);

}  // namespace mcpfleet::kube
