// Bounded parsing of JSON, and lenient access to its members. For .cc files: it includes all of
// nlohmann/json.hpp.
//
// Thread safety: free functions without state.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::fleet {

using Json = nlohmann::json;

// Nesting that a Kubernetes object of ours can have, with room to spare.
inline constexpr int kMaxJsonDepth = 64;

// Parses at most `max_bytes` of at most kMaxJsonDepth levels. Errors: TooLarge, Malformed.
Result<Json> parse_json(std::string_view text, std::size_t max_bytes);

// Compact text with sorted keys: the same value gives the same bytes. Bytes that are no UTF-8
// become U+FFFD.
std::string to_text(const Json& value);

// The member `key` of an object; null where there is none or `object` is no object.
const Json& member(const Json& object, std::string_view key);
// The member as text, whole number or truth; the neutral value where it is absent or something
// else.
std::string text_of(const Json& object, std::string_view key);
std::int64_t number_of(const Json& object, std::string_view key);
bool truth_of(const Json& object, std::string_view key);
// The array `key`, or an empty one.
const Json& list_of(const Json& object, std::string_view key);

}  // namespace mcpfleet::fleet
