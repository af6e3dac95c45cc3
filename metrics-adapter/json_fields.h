// Fields of a JSON object that may be missing or of another type. Include in .cc files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace mcpfleet::adapter {

// An empty text where it is not there or no string.
inline std::string text_of(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// An empty object where it is not there or no object.
inline nlohmann::json object_of(const nlohmann::json& object, std::string_view key) {
  if (object.is_object())
    if (const auto found = object.find(key); found != object.end() && found->is_object())
      return *found;
  return nlohmann::json::object();
}

}  // namespace mcpfleet::adapter
