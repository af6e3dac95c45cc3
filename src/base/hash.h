// A quick hash for telling one text from the next; nobody may gain by a collision.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace mcpfleet {

inline constexpr std::uint64_t kHashSeed = 14695981039346656037ULL;

// FNV-1a, going on from `seed`. Its values are stored: they never change.
constexpr std::uint64_t hash_text(std::string_view text, std::uint64_t seed = kHashSeed) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return seed;
}

}  // namespace mcpfleet
