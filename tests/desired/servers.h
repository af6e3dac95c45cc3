// Servers and contexts that tests start from.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "desired/desired.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {

using nlohmann::json;

// A server named "time" in "tools" with that spec besides its source.
inline fleet::MCPServer server_with(std::string_view spec) {
  json object = json::parse(
      R"({"metadata": {"name": "time", "namespace": "tools", "uid": "u-1", "generation": 3},
                                "spec": {"source": {"containerImage": {"ref": "localhost/time:1"}}}})");
  object["spec"].update(json::parse(spec));
  auto server = fleet::decode(object.dump());
  EXPECT_TRUE(server) << server.error().message;
  return server.value_or(fleet::MCPServer{});
}

// The same of a workload of somebody else's.
inline fleet::MCPServer workload_with(std::string_view spec) {
  json object = json::parse(
      R"({"metadata": {"name": "time", "namespace": "tools", "uid": "u-1", "generation": 3},
          "spec": {"source": {"type": "WorkloadRef", "workloadRef": {"kind": "StatefulSet", "name": "search"}}}})");
  object["spec"].update(json::parse(spec));
  auto server = fleet::decode(object.dump());
  EXPECT_TRUE(server) << server.error().message;
  return server.value_or(fleet::MCPServer{});
}

inline Context context() {
  Context result;
  result.sidecar_image = "localhost/mcp-sidecar:1";
  result.sidecar_pull_policy = "IfNotPresent";
  result.session_key = std::string("\x00\x01\xfe\xff", 4) + std::string(28, 'k');
  result.hpa_tolerance = true;
  result.replicas = 3;
  return result;
}

// The object of that kind; null where there is none.
inline json find(const Desired& desired, const std::string& kind) {
  for (const auto& object : desired.objects)
    if (object.kind == kind) return json::parse(object.body);
  return nullptr;
}

// An object of that kind is to be deleted.
inline bool unwanted(const Desired& desired, const std::string& kind) {
  for (const auto& object : desired.unwanted)
    if (object.kind == kind) return true;
  return false;
}

inline json container_named(const json& list, const std::string& name) {
  for (const auto& container : list)
    if (container["name"] == name) return container;
  return nullptr;
}

}  // namespace mcpfleet::desired
