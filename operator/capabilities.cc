#include "operator/capabilities.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mcpfleet::op {

bool document_has_tolerance(std::string_view openapi_v3) {
  using nlohmann::json;
  const auto document = json::parse(openapi_v3, nullptr, /*allow_exceptions=*/false);
  return document.is_object() &&
         document.contains(json::json_pointer("/components/schemas/"
                                              "io.k8s.api.autoscaling.v2.HPAScalingRules/"
                                              "properties/tolerance"));
}

Result<bool> hpa_has_tolerance(kube::Client& client) {
  const auto document = client.get("/openapi/v3/apis/autoscaling/v2");
  if (document) return document_has_tolerance(*document);
  if (document.error().kind == ErrorKind::NotFound) return false;
  return fail(document.error());
}

Result<std::set<ChildKind>> installed_kinds(kube::Client& client) {
  const auto text = client.get("/apis/monitoring.coreos.com/v1");
  if (!text && text.error().kind == ErrorKind::NotFound) return std::set<ChildKind>{};
  if (!text) return fail(text.error());
  const auto group = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  std::set<ChildKind> installed;
  if (!group.is_object() || !group.contains("resources")) return installed;
  for (const auto& type : kChildTypes) {
    if (!type.optional()) continue;
    const auto is_it = [&type](const nlohmann::json& resource) {
      return resource.is_object() && resource.value("name", "") == type.plural;
    };
    if (std::ranges::any_of(group["resources"], is_it)) installed.insert(type.kind);
  }
  return installed;
}

}  // namespace mcpfleet::op
