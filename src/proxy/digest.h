// Digests of what must not be kept, or is too long for a key.
//
// Thread safety: free functions without state.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "routing/digest.h"

namespace mcpfleet::proxy {

// SHA-256, 32 bytes, of the parts and where one ends and the next begins.
std::string sha256(std::initializer_list<std::string_view> parts);

// The first half of such a digest.
routing::Digest short_digest(std::string_view sha256);

}  // namespace mcpfleet::proxy
