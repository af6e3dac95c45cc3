#include "metrics-adapter/openapi.h"

#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "metrics-adapter/metric_source.h"
#include "metrics-adapter/status_body.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;

json path_parameter(const char* name, bool v3) {
  json parameter{{"name", name}, {"in", "path"}, {"required", true}};
  if (v3) {
    parameter["schema"] = {{"type", "string"}};
  } else {
    parameter["type"] = "string";
  }
  return parameter;
}

json operation(const std::string& id, std::initializer_list<const char*> parameters, bool v3) {
  auto list = json::array();
  for (const char* name : parameters) list.push_back(path_parameter(name, v3));
  return {{"parameters", std::move(list)},
          {"get",
           {{"operationId", id},
            {"description", "The values that there are now."},
            {"responses", {{"200", {{"description", "OK"}}}}}}}};
}

// Adds the paths of one version of a group.
void add_paths(json& paths, std::string_view group, std::string_view version, bool v3) {
  const std::string base =
      "/apis/" + std::string(group) + "/" + std::string(version) + "/namespaces/{namespace}/";
  const std::string id = "list_" + std::string(group) + "_" + std::string(version) + "_";
  if (group == kExternalGroup) {
    paths[base + "{metric}"] = operation(id + "metrics", {"namespace", "metric"}, v3);
    return;
  }
  for (const auto resource : kResources)
    paths[base + std::string(resource) + "/{name}/{metric}"] =
        operation(id + std::string(resource), {"namespace", "name", "metric"}, v3);
}

json info() { return {{"title", "mcp-metrics-adapter"}, {"version", "unversioned"}}; }

}  // namespace

OpenApi::OpenApi() {
  json v2{{"swagger", "2.0"}, {"info", info()}, {"paths", json::object()}};
  json index{{"paths", json::object()}};
  for (const auto group : kGroups) {
    for (const auto version : versions_of(group)) {
      add_paths(v2["paths"], group, version, false);
      json v3{{"openapi", "3.0.0"}, {"info", info()}, {"paths", json::object()}};
      add_paths(v3["paths"], group, version, true);
      const std::string name = "apis/" + std::string(group) + "/" + std::string(version);
      const std::string text = v3.dump() + "\n";
      index["paths"][name] = {{"serverRelativeURL",
                               "/openapi/v3/" + name + "?hash=" + std::to_string(hash_text(text))}};
      documents_.emplace("/openapi/v3/" + name, text);
    }
  }
  documents_.emplace("/openapi/v2", v2.dump() + "\n");
  documents_.emplace("/openapi/v3", index.dump() + "\n");
}

std::optional<http::Response> OpenApi::answer(const Target& target,
                                              const http::Headers& headers) const {
  if (target.segments.empty() || target.segments.front() != "openapi") return std::nullopt;
  std::string path;
  for (const auto& segment : target.segments) path.append("/").append(segment);
  const auto found = documents_.find(path);
  if (found == documents_.end())
    return status_response(404, "the server could not find the requested resource");
  return found->second.answer(headers, "application/json");
}

}  // namespace mcpfleet::adapter
