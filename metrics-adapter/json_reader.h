// A few fields out of a Kubernetes object's JSON, fast. Shows simdjson: include it in .cc files.
#pragma once

#include <simdjson.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics-adapter/labels.h"

namespace mcpfleet::adapter {

// Thread safety: one thread. What read() returned is valid until the next read().
class JsonReader {
 public:
  // Error: Malformed.
  Result<simdjson::dom::element> read(std::string_view json) {
    simdjson::dom::element root;
    if (const auto error = parser_.parse(json.data(), json.size()).get(root); error)
      return fail(ErrorKind::Malformed,
                  std::string("broken JSON: ") + simdjson::error_message(error));
    return root;
  }

 private:
  simdjson::dom::parser parser_;
};

// The element at a path of keys; false where there is none.
inline bool find(simdjson::dom::element& at, std::initializer_list<std::string_view> path) {
  for (const auto key : path) {
    simdjson::dom::element next;
    if (at[key].get(next) != simdjson::SUCCESS) return false;
    at = next;
  }
  return true;
}

// The string at a path; empty where there is none.
inline std::string_view text_at(simdjson::dom::element at,
                                std::initializer_list<std::string_view> path) {
  std::string_view text;
  if (!find(at, path) || at.get(text) != simdjson::SUCCESS) return {};
  return text;
}

// An object of strings.
inline Labels labels_at(simdjson::dom::element at, std::initializer_list<std::string_view> path) {
  Labels labels;
  simdjson::dom::object object;
  if (!find(at, path) || at.get(object) != simdjson::SUCCESS) return labels;
  for (const auto field : object) {
    std::string_view text;
    if (field.value.get(text) == simdjson::SUCCESS) labels.add(field.key, text);
  }
  labels.shrink_to_fit();
  return labels;
}

}  // namespace mcpfleet::adapter
