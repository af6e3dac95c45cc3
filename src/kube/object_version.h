// The order of resourceVersions.
//
// Pure. Thread safety: free functions.
#pragma once

#include <string_view>

namespace mcpfleet::kube {

// Versions of one collection are decimal numbers that grow (KEP-5504).
constexpr bool version_less(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace mcpfleet::kube
