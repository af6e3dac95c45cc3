// The labels of an object, in one text: a map takes three times as much, and there are some of each
// pod.
//
// Thread safety: a plain value.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mcpfleet::adapter {

class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> all) {
    for (const auto& [key, value] : all) add(key, value);
  }

  // Of a key that is not there yet. The API server lets no label have a NUL: one is left out.
  void add(std::string_view key, std::string_view value) {
    if (key.contains('\0') || value.contains('\0')) return;
    text_.append(key).append(1, '\0').append(value).append(1, '\0');
  }
  void shrink_to_fit() { text_.shrink_to_fit(); }

  std::optional<std::string_view> get(std::string_view wanted) const {
    std::size_t at = 0;
    while (at < text_.size()) {
      const std::string_view key = text_.c_str() + at;
      const std::string_view value = text_.c_str() + at + key.size() + 1;
      if (key == wanted) return value;
      at += key.size() + value.size() + 2;
    }
    return std::nullopt;
  }

  // In the same order.
  bool operator==(const Labels&) const = default;

 private:
  std::string text_;  // of each its key and its value, a NUL after both
};

}  // namespace mcpfleet::adapter
