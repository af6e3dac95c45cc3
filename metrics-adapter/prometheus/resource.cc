#include "metrics-adapter/prometheus/resource.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "metrics-adapter/json_fields.h"

namespace mcpfleet::adapter::promql {
namespace {

using nlohmann::json;

// A document of this kind, with a list `field`.
Result<json> document_of(std::string_view text, std::string_view kind, const char* field) {
  auto document = json::parse(text, nullptr, false);
  if (text_of(document, "kind") != kind || !document.contains(field) || !document[field].is_array())
    return fail(ErrorKind::Malformed, "an answer of the API server is no " + std::string(kind));
  return document;
}

// Servers that do not say the singular mean the kind in lower case.
std::string singular_of(const json& entry) {
  auto singular = text_of(entry, "singularName");
  if (!singular.empty()) return singular;
  singular = text_of(entry, "kind");
  std::ranges::transform(singular, singular.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return singular;
}

}  // namespace

Result<std::vector<Resource>> parse_resource_list(std::string_view text) {
  const auto document = document_of(text, "APIResourceList", "resources");
  if (!document) return fail(document.error());
  const auto group_version = text_of(*document, "groupVersion");
  const auto slash = group_version.find('/');
  std::vector<Resource> resources;
  for (const auto& entry : (*document)["resources"]) {
    const auto plural = text_of(entry, "name");
    if (plural.empty() || plural.find('/') != plural.npos) continue;
    Resource resource;
    if (slash != group_version.npos) resource.group = group_version.substr(0, slash);
    resource.version = group_version.substr(slash == group_version.npos ? 0 : slash + 1);
    resource.plural = plural;
    resource.singular = singular_of(entry);
    resource.kind = text_of(entry, "kind");
    const auto namespaced = entry.find("namespaced");
    resource.namespaced =
        namespaced != entry.end() && namespaced->is_boolean() && namespaced->get<bool>();
    resources.push_back(std::move(resource));
  }
  return resources;
}

Result<std::vector<GroupVersion>> parse_group_list(std::string_view text) {
  const auto document = document_of(text, "APIGroupList", "groups");
  if (!document) return fail(document.error());
  std::vector<GroupVersion> groups;
  for (const auto& entry : (*document)["groups"]) {
    GroupVersion group{text_of(entry, "name"),
                       text_of(object_of(entry, "preferredVersion"), "version")};
    if (!group.group.empty() && !group.version.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace mcpfleet::adapter::promql
