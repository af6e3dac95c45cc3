// Conditions and counts of a status, between JSON and plain values. Internal to fleet.
//
// Thread safety: free functions without state.
#pragma once

#include <string_view>
#include <vector>

#include "fleet/json_text.h"
#include "fleet/status.h"

namespace mcpfleet::fleet {

// The largest status that is read.
inline constexpr std::size_t kMaxStatusBytes = 1024 * 1024;

Json encode_conditions(const std::vector<Condition>& conditions);
// What cannot be read gets the neutral value.
std::vector<Condition> decode_conditions(const Json& list);

// The member as an RFC 3339 time; nullopt where it is none.
std::optional<WallTime> time_of(const Json& object, std::string_view key);
// The member as a count, at most a million.
int count_of(const Json& object, std::string_view key);

}  // namespace mcpfleet::fleet
