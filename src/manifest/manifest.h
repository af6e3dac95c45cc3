// Kubernetes objects from a file that somebody wrote, or that kubectl printed: YAML or JSON.
//
// Thread safety: free functions without state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::manifest {

// An object as compact JSON, and what it says of itself; empty where it does not.
struct Object {
  std::string kind;
  std::string json;
};

// All objects of a text of at most `most_bytes`, in order: of each document one, or those of a list
// (a kind that ends with List, and `items`). `name` is the file's, for errors. Errors: TooLarge,
// Invalid: one sentence that begins with the file, and with the line where it is no YAML.
Result<std::vector<Object>> read_objects(std::string_view text, const std::string& name,
                                         std::size_t most_bytes);

}  // namespace mcpfleet::manifest
