#include "fleet/reader.h"

#include <algorithm>

#include "base/time_text.h"

namespace mcpfleet::fleet {
namespace {

// Characters, as the API server counts them, not bytes.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The offending value, shortened: people search their manifest for it.
std::string shown(const Json& value) {
  std::string text = to_text(value);
  return text.size() <= 64 ? text : text.substr(0, 61) + "…";
}

}  // namespace

std::string listing(std::initializer_list<std::string_view> values) {
  std::string text;
  std::size_t left = values.size();
  for (std::string_view value : values) {
    text += value;
    --left;
    if (left > 0) text += left == 1 ? " or " : ", ";
  }
  return text;
}

Field Field::operator[](std::string_view key) const {
  const std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  return {member(*value_, key), path, *error_};
}

std::vector<Field> Field::items(std::size_t max) const {
  std::vector<Field> fields;
  if (!present()) return fields;
  if (!value_->is_array()) {
    refuse("must be a list");
    return fields;
  }
  if (value_->size() > max) {
    refuse("must have at most " + std::to_string(max) + " items");
    return fields;
  }
  for (std::size_t i = 0; i < value_->size(); ++i)
    fields.emplace_back((*value_)[i], path_ + "[" + std::to_string(i) + "]", *error_);
  return fields;
}

void Field::refuse(std::string problem) const {
  if (!error_->has_value()) *error_ = Error{ErrorKind::Invalid, path_ + " " + std::move(problem)};
}

int Field::integer(int fallback, int least, int most) const {
  if (!present()) return fallback;
  if (!value_->is_number_integer()) {
    refuse("must be a whole number, not " + shown(*value_));
    return fallback;
  }
  const auto number = value_->get<std::int64_t>();
  if (number >= least && number <= most) return static_cast<int>(number);
  refuse("must be from " + std::to_string(least) + " to " + std::to_string(most) + ", not " +
         shown(*value_));
  return fallback;
}

std::string Field::text(std::string fallback, std::size_t least, std::size_t most) const {
  if (!present()) return fallback;
  if (!value_->is_string()) {
    refuse("must be text, not " + shown(*value_));
    return fallback;
  }
  auto text = value_->get<std::string>();
  const std::size_t length = characters(text);
  if (length < least) refuse("must not be empty");
  if (length > most) refuse("must have at most " + std::to_string(most) + " characters");
  return text;
}

std::string Field::one_of(std::string_view fallback,
                          std::initializer_list<std::string_view> values) const {
  if (!present()) return std::string(fallback);
  for (std::string_view value : values)
    if (value_->is_string() && value_->get<std::string>() == value) return std::string(value);
  refuse("must be " + listing(values) + ", not " + shown(*value_));
  return std::string(fallback);
}

Duration Field::duration(Duration fallback, Duration least, Duration most) const {
  if (!present()) return fallback;
  const std::string text = value_->is_string() ? value_->get<std::string>() : "0";
  // A bare 0 is a duration in Go, and refused by the schema's pattern.
  if (text == "0") {
    refuse("must be a duration such as 300s, not " + shown(*value_));
    return fallback;
  }
  const auto duration = parse_duration(text);
  if (!duration) {
    refuse(duration.error().message + ", not " + shown(*value_));
    return fallback;
  }
  if (*duration < least || *duration > most) {
    refuse("must be from " + format_duration(least) + " to " + format_duration(most) + ", not " +
           shown(*value_));
    return fallback;
  }
  return *duration;
}

std::vector<std::string> Field::texts(std::size_t max_items, std::size_t max_length) const {
  std::vector<std::string> result;
  for (const Field& item : items(max_items)) {
    if (!item.present()) item.refuse("must be text, not null");
    result.push_back(item.text("", 0, max_length));
  }
  return result;
}

std::map<std::string, std::string> Field::text_map(std::size_t max_items,
                                                   std::size_t max_length) const {
  std::map<std::string, std::string> result;
  if (!object()) return result;
  if (value_->size() > max_items) {
    refuse("must have at most " + std::to_string(max_items) + " entries");
    return result;
  }
  for (const auto& [key, value] : value_->items()) {
    const Field item = (*this)[key];
    if (!item.present()) item.refuse("must be text, not null");
    result.emplace(key, item.text("", 0, max_length));
  }
  return result;
}

std::optional<std::int64_t> Field::quantity_milli() const {
  if (!present()) return std::nullopt;
  if (!value_->is_string() && !value_->is_number_integer()) {
    refuse("must be a quantity such as 100 or 250m (a fraction in quotes: \"0.2\"), not " +
           shown(*value_));
    return std::nullopt;
  }
  const auto milli =
      parse_quantity_milli(value_->is_string() ? value_->get<std::string>() : to_text(*value_));
  if (!milli) {
    refuse("must be a quantity such as 100 or 250m, not " + shown(*value_));
    return std::nullopt;
  }
  if (*milli < 0) {
    refuse("must not be negative, and is " + shown(*value_));
    return std::nullopt;
  }
  return *milli;
}

bool Field::boolean(bool fallback) const {
  if (!present()) return fallback;
  if (!value_->is_boolean()) refuse("must be true or false, not " + shown(*value_));
  return value_->is_boolean() ? value_->get<bool>() : fallback;
}

bool Field::object() const {
  if (!present()) return false;
  if (!value_->is_object()) refuse("must be an object, not " + shown(*value_));
  return value_->is_object();
}

}  // namespace mcpfleet::fleet
