#include "metrics-adapter/discovery.h"

#include <nlohmann/json.hpp>

#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/status_body.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;

constexpr std::string_view kAggregatedType =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
constexpr std::string_view kExternalKind = "ExternalMetricValueList";

std::string group_version(std::string_view group, std::string_view version) {
  return std::string(group) + "/" + std::string(version);
}

json group_object(std::string_view group) {
  auto versions = json::array();
  for (const auto version : versions_of(group))
    versions.push_back({{"groupVersion", group_version(group, version)}, {"version", version}});
  const json preferred = versions.front();
  return {{"name", group}, {"versions", std::move(versions)}, {"preferredVersion", preferred}};
}

json listed_resource(const std::string& name, std::string_view kind) {
  return {{"name", name},
          {"singularName", ""},
          {"namespaced", true},
          {"kind", kind},
          {"verbs", {"get"}}};
}

json resource_list(std::string_view group, std::string_view version) {
  auto resources = json::array();
  if (group == kExternalGroup) {
    for (const auto metric : metrics_of(group, kServersResource))
      resources.push_back(listed_resource(std::string(metric), kExternalKind));
  } else {
    for (const auto resource : kResources)
      for (const auto metric : metrics_of(group, resource))
        resources.push_back(
            listed_resource(std::string(resource) + "/" + std::string(metric), "MetricValueList"));
  }
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", group_version(group, version)},
          {"resources", std::move(resources)}};
}

// A resource without a responseKind has no meaning of its own; only its subresources count
// (k8s.io/client-go discovery/aggregated_discovery.go).
json aggregated_resource(std::string_view group, std::string_view version,
                         std::string_view resource) {
  auto subresources = json::array();
  for (const auto metric : metrics_of(group, resource))
    subresources.push_back(
        {{"subresource", metric},
         {"responseKind", {{"group", group}, {"version", version}, {"kind", "MetricValueList"}}},
         {"verbs", {"get"}}});
  return {{"resource", resource},
          {"scope", "Namespaced"},
          {"singularResource", ""},
          {"verbs", json::array()},
          {"subresources", std::move(subresources)}};
}

json aggregated_external(std::string_view version, std::string_view metric) {
  return {
      {"resource", metric},
      {"responseKind", {{"group", kExternalGroup}, {"version", version}, {"kind", kExternalKind}}},
      {"scope", "Namespaced"},
      {"singularResource", ""},
      {"verbs", {"get"}}};
}

json aggregated_group(std::string_view group) {
  auto versions = json::array();
  for (const auto version : versions_of(group)) {
    auto resources = json::array();
    if (group == kExternalGroup) {
      for (const auto metric : metrics_of(group, kServersResource))
        resources.push_back(aggregated_external(version, metric));
    } else {
      for (const auto resource : kResources)
        resources.push_back(aggregated_resource(group, version, resource));
    }
    versions.push_back(
        {{"version", version}, {"freshness", "Current"}, {"resources", std::move(resources)}});
  }
  return {{"metadata", {{"name", group}}}, {"versions", std::move(versions)}};
}

std::string group_list() {
  json groups{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", json::array()}};
  for (const auto group : kGroups) groups["groups"].push_back(group_object(group));
  return groups.dump() + "\n";
}

std::string aggregated_list() {
  json all{{"kind", "APIGroupDiscoveryList"},
           {"apiVersion", "apidiscovery.k8s.io/v2"},
           {"metadata", json::object()},
           {"items", json::array()}};
  for (const auto group : kGroups) all["items"].push_back(aggregated_group(group));
  return all.dump() + "\n";
}

http::Response json_response(const json& body) {
  return http::text_response(200, body.dump() + "\n", "application/json");
}

// Whether an Accept header names the aggregated form; spaces do not count.
bool accepts_aggregated(const http::Headers& headers) {
  for (const auto value : headers.all("Accept")) {
    std::string text;
    for (const char c : value)
      if (c != ' ') text += c;
    if (text.find(kAggregatedType) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Discovery::Discovery() : groups_(group_list()), aggregated_(aggregated_list()) {}

std::optional<http::Response> Discovery::answer(const Target& target,
                                                const http::Headers& headers) const {
  const auto& parts = target.segments;
  if (parts.empty()) return std::nullopt;
  if (parts.front() != "apis" || parts.size() > 3) return std::nullopt;
  if (parts.size() == 1)
    return accepts_aggregated(headers) ? aggregated(headers)
                                       : http::text_response(200, groups_, "application/json");
  for (const auto group : kGroups) {
    if (parts[1] != group) continue;
    if (parts.size() == 2) {
      auto body = group_object(group);
      body["kind"] = "APIGroup";
      body["apiVersion"] = "v1";
      return json_response(body);
    }
    if (has_version(group, parts[2])) return json_response(resource_list(group, parts[2]));
  }
  return status_response(404, "the server could not find the requested resource");
}

http::Response Discovery::aggregated(const http::Headers& headers) const {
  auto response = aggregated_.answer(headers, kAggregatedType);
  response.headers.add("Vary", "Accept");
  return response;
}

}  // namespace mcpfleet::adapter
