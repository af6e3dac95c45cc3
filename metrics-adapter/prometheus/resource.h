// Kinds of Kubernetes objects as the API server's discovery tells them. Pure.
//
// Source: k8s.io/apimachinery pkg/apis/meta/v1 APIGroupList, APIResourceList.
// Thread safety: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::adapter::promql {

struct Resource {
  std::string group;  // empty: core
  std::string version;
  std::string plural;
  std::string singular;
  std::string kind;
  bool namespaced = true;

  // "v1", "apps/v1"
  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  // "pods", "deployments.apps"
  std::string text() const { return group.empty() ? plural : plural + "." + group; }
  // Whether people mean this one by a name, plural or singular, and a group, which may be empty or
  // the beginning of one ("apps", "networking").
  bool is_named(std::string_view name, std::string_view of_group) const {
    return (name == plural || name == singular) && group.starts_with(of_group);
  }
};

// The resources of an APIResourceList, without subresources. Error: Malformed.
Result<std::vector<Resource>> parse_resource_list(std::string_view text);

// A group in the version that the API server prefers.
struct GroupVersion {
  std::string group;
  std::string version;
};

// Of an APIGroupList, in its order. Error: Malformed.
Result<std::vector<GroupVersion>> parse_group_list(std::string_view text);

}  // namespace mcpfleet::adapter::promql
