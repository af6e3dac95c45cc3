// What everyone who takes raw JSON apart with simdjson needs. For .cc files: the header is heavy.
//
// Thread safety: free functions; a parser belongs to one thread.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace mcpfleet::kube {

// Begins to read a copy of `text` in this thread's one parser: what is read of it is valid until
// the next call of this function on the same thread.
inline simdjson::error_code begin(std::string_view text, simdjson::ondemand::document& document) {
  thread_local std::string buffer;
  thread_local simdjson::ondemand::parser parser;
  buffer.assign(text);
  buffer.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return parser
      .iterate(simdjson::padded_string_view(buffer.data(), buffer.size(), buffer.capacity()))
      .get(document);
}

// The value as text; empty where it is none.
inline std::string text_of(simdjson::ondemand::value value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// Calls `visit(key, value)` for each field of an object (a value, or an object already got) until
// it returns an error.
template <typename Visit>
simdjson::error_code for_each_field(simdjson::ondemand::object object, const Visit& visit) {
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    simdjson::ondemand::value value;
    if (const auto error = field.value().get(value)) return error;
    if (const auto error = visit(key, value)) return error;
  }
  return simdjson::SUCCESS;
}
template <typename Visit>
simdjson::error_code for_each_field(simdjson::ondemand::value value, const Visit& visit) {
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  return for_each_field(object, visit);
}

// A value's own text, in the parser's buffer.
inline simdjson::error_code raw_of(simdjson::ondemand::value value, std::string_view& raw) {
  simdjson::ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  if (type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object;
    if (const auto error = value.get_object().get(object)) return error;
    return object.raw_json().get(raw);
  }
  if (type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array;
    if (const auto error = value.get_array().get(array)) return error;
    return array.raw_json().get(raw);
  }
  raw = value.raw_json_token();
  while (!raw.empty() && std::string_view(" \n\r\t").contains(raw.back())) raw.remove_suffix(1);
  return simdjson::SUCCESS;
}

}  // namespace mcpfleet::kube
