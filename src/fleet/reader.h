// Reads fields of a JSON object and remembers the first thing that is wrong, by its path.
//
// A read that fails gives the default back, so that decoding code reads as a list of fields; the
// caller asks once, at the end, whether anything was wrong. Thread safety: one thread at a time.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/quantity.h"
#include "fleet/json_text.h"

namespace mcpfleet::fleet {

// A place in the object: a value (or its absence), the path to it, and where to report.
class Field {
 public:
  Field(const Json& value, std::string path, std::optional<Error>& error)
      : value_(&value), path_(std::move(path)), error_(&error) {}

  // Absent and null are the same, as in Kubernetes.
  bool present() const { return !value_->is_null(); }
  const Json& value() const { return *value_; }
  const std::string& path() const { return path_; }

  // A member of an object. Absent where this one is absent.
  Field operator[](std::string_view key) const;
  // The items of an array of at most `max`.
  std::vector<Field> items(std::size_t max) const;

  // Reports "<path> <problem>", unless something was reported before.
  void refuse(std::string problem) const;

  // Each gives `fallback` where the field is absent or wrong.
  int integer(int fallback, int least, int most) const;
  std::string text(std::string fallback, std::size_t least, std::size_t most) const;
  std::string one_of(std::string_view fallback,
                     std::initializer_list<std::string_view> values) const;
  Duration duration(Duration fallback, Duration least, Duration most) const;
  std::vector<std::string> texts(std::size_t max_items, std::size_t max_length) const;
  // An object whose values are texts, such as labels.
  std::map<std::string, std::string> text_map(std::size_t max_items, std::size_t max_length) const;
  // A quantity, not negative: a whole number or text.
  std::optional<std::int64_t> quantity_milli() const;
  bool boolean(bool fallback) const;
  // True if present; reports where it is no object.
  bool object() const;

 private:
  const Json* value_;
  std::string path_;
  std::optional<Error>* error_;
};

// "a, b or c", for messages.
std::string listing(std::initializer_list<std::string_view> values);

}  // namespace mcpfleet::fleet
