// Where things live in the API. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::kube {

// Percent-encodes all but unreserved characters (RFC 3986), for a query's values and path segments.
std::string escape(std::string_view text);

// "/api/v1/namespaces/NS/pods" or "/apis/apps/v1/namespaces/NS/deployments"; an empty namespace
// names all of the cluster. `api_version` is "v1" or "group/version".
std::string collection_path(std::string_view api_version, std::string_view namespace_,
                            std::string_view plural);

// The path of one object in that collection.
std::string object_path(std::string_view api_version, std::string_view namespace_,
                        std::string_view plural, std::string_view name);

// "team-a,team-b", each once; empty: none. Error: Invalid, to follow the name of what was given.
Result<std::vector<std::string>> parse_namespaces(std::string_view text);

// "namespace/name", the key of an object everywhere, and back.
std::string make_key(std::string_view namespace_, std::string_view name);
struct Key {
  std::string namespace_;
  std::string name;
};
Key split_key(std::string_view key);

}  // namespace mcpfleet::kube
