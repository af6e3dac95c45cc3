// Takes a list apart while it arrives: each item's raw text as soon as it is complete, so that a
// list of any length needs the memory of one object.
//
// Thread safety: none; one owner.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/json_text.h"

namespace mcpfleet::kube {

class ListScanner {
 public:
  // Told once, before the first item: what stands in front of the items, which with the API server
  // is all of the list's metadata. An error breaks off.
  using Begin = std::function<std::optional<Error>(const ListPage& page)>;
  using Item = std::function<void(std::string_view object_json)>;

  ListScanner(Begin begin, Item item) : begin_(std::move(begin)), item_(std::move(item)) {}

  // The next piece of the answer. Errors: Malformed; TooLarge for an item over 64 MiB.
  std::optional<Error> feed(std::string_view piece);
  // The answer is complete. Error: Malformed.
  Result<ListPage> end();

 private:
  enum class Place { Envelope, Items, Item };  // where the next byte belongs
  std::optional<Error> take(std::string_view piece, std::size_t at);
  std::size_t skip_string(std::string_view piece, std::size_t at);
  std::optional<Error> in_envelope(char byte);
  std::optional<Error> in_items(char byte, std::size_t at);
  void in_item(std::string_view piece, std::size_t at);
  bool opens_items() const;
  std::optional<Error> begun();

  // Constant after construction.
  const Begin begin_;
  const Item item_;
  // The state.
  std::string envelope_;     // all but the items
  std::string partial_;      // the beginning of an item, from earlier pieces
  std::size_t item_at_ = 0;  // where the item under way begins in this piece
  Place place_ = Place::Envelope;
  int depth_ = 0;  // of brackets and braces
  bool string_ = false;
  bool escaped_ = false;  // the next byte of the string
  bool begun_ = false;
};

}  // namespace mcpfleet::kube
