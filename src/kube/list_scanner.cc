#include "kube/list_scanner.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::kube {
namespace {

constexpr std::size_t kMostEnvelope = 1024UL * 1024;
constexpr std::size_t kMostItem = 64UL * 1024 * 1024;
constexpr std::string_view kSpace = " \t\r\n";

Error malformed(const char* what) {
  return {ErrorKind::Malformed, std::string("the list cannot be read: ") + what};
}

std::string_view without_space_behind(std::string_view text) {
  const auto last = text.find_last_not_of(kSpace);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

std::optional<Error> ListScanner::feed(std::string_view piece) {
  item_at_ = 0;
  for (std::size_t at = 0; at < piece.size();) {
    if (string_) {
      const std::size_t end = skip_string(piece, at);
      if (place_ == Place::Envelope) envelope_ += piece.substr(at, end - at);
      at = end;
      continue;
    }
    if (auto error = take(piece, at)) return error;
    ++at;
  }
  if (place_ == Place::Item) partial_ += piece.substr(item_at_);
  if (partial_.size() > kMostItem) return Error{ErrorKind::TooLarge, "an item is over 64 MiB"};
  return std::nullopt;
}

std::optional<Error> ListScanner::take(std::string_view piece, std::size_t at) {
  switch (place_) {
    case Place::Envelope:
      return in_envelope(piece[at]);
    case Place::Items:
      return in_items(piece[at], at);
    case Place::Item:
      in_item(piece, at);
      return std::nullopt;
  }
  return std::nullopt;
}

Result<ListPage> ListScanner::end() {
  if (place_ != Place::Envelope || depth_ != 0 || string_) return fail(malformed("it is cut off"));
  if (!begun_) {
    if (auto error = begun()) return fail(*error);
  }
  auto page = parse_list_envelope(envelope_);
  if (page && page->resource_version.empty()) {
    return fail(ErrorKind::Malformed, "the list has no metadata.resourceVersion");
  }
  return page;
}

// Brackets in strings do not count. Returns where the string under way ends, or the piece.
std::size_t ListScanner::skip_string(std::string_view piece, std::size_t at) {
  if (std::exchange(escaped_, false)) ++at;
  while (at < piece.size()) {
    const auto quote = std::min(piece.find('"', at), piece.size());
    const auto escape = piece.substr(at, quote - at).find('\\');
    if (escape == std::string_view::npos) {
      string_ = quote == piece.size();
      return string_ ? quote : quote + 1;
    }
    at += escape + 2;
  }
  escaped_ = at > piece.size();
  return piece.size();
}

std::optional<Error> ListScanner::in_envelope(char byte) {
  if (envelope_.size() >= kMostEnvelope) return malformed("it has no items in its first MiB");
  if (byte == '"') string_ = true;
  if (byte == '{' || byte == '[') ++depth_;
  if (byte == '}' || byte == ']') --depth_;
  if (byte == '[' && depth_ == 2 && opens_items()) {
    place_ = Place::Items;
    if (auto error = begun()) return error;
  }
  envelope_ += byte;
  return std::nullopt;
}

// Whether what stands in front of a bracket is the key "items".
bool ListScanner::opens_items() const {
  auto text = without_space_behind(envelope_);
  if (!text.ends_with(':')) return false;
  text.remove_suffix(1);
  text = without_space_behind(text);
  constexpr std::string_view kKey = "\"items\"";
  return text.ends_with(kKey) && !text.substr(0, text.size() - kKey.size()).ends_with('\\');
}

std::optional<Error> ListScanner::begun() {
  begun_ = true;
  const bool whole = depth_ == 0;
  std::string closed = envelope_ + (whole ? "" : "[]}");
  const auto page = parse_list_envelope(closed);
  if (!page) return page.error();
  return begin_(*page);
}

std::optional<Error> ListScanner::in_items(char byte, std::size_t at) {
  if (byte == '{') {
    place_ = Place::Item;
    item_at_ = at;
    ++depth_;
  } else if (byte == ']') {
    place_ = Place::Envelope;
    --depth_;
    envelope_ += byte;
  } else if (byte != ',' && kSpace.find(byte) == std::string_view::npos) {
    return malformed("an item is no object");
  }
  return std::nullopt;
}

void ListScanner::in_item(std::string_view piece, std::size_t at) {
  const char byte = piece[at];
  if (byte == '"') string_ = true;
  if (byte == '{' || byte == '[') ++depth_;
  if (byte != '}' && byte != ']') return;
  if (--depth_ > 2) return;
  place_ = Place::Items;
  const auto text = piece.substr(item_at_, at + 1 - item_at_);
  if (partial_.empty()) {
    item_(text);
  } else {
    partial_ += text;
    item_(partial_);
    partial_.clear();
  }
}

}  // namespace mcpfleet::kube
