#include "tools/mcp-simulate/manifest.h"

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "fleet/decode.h"

namespace mcpfleet::tools {

const std::string_view kDefaultManifest = R"(
apiVersion: mcpfleet.dev/v1alpha1
kind: MCPServer
metadata: {name: simulated}
spec:
  source: {type: ContainerImage, containerImage: {ref: simulated}}
  runtime: {resources: {requests: {cpu: "1"}}}
  autoscaling:
    minReplicas: 1
    maxReplicas: 100
    targets: {requestsPerSecond: "70"}
)";

namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;

// A plain scalar is what YAML 1.2's JSON schema takes it for; a quoted one ("!") is a string.
json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;
  if (text == "true") return true;
  if (text == "false") return false;
  if (text.empty() || text == "~" || text == "null") return nullptr;
  std::int64_t whole = 0;
  if (YAML::convert<std::int64_t>::decode(node, whole)) return whole;
  double number = 0;
  if (YAML::convert<double>::decode(node, number)) return number;
  return text;
}

json to_json(const YAML::Node& node, int depth) {
  if (depth > kMaxDepth) throw YAML::ParserException(node.Mark(), "it is nested too deeply");
  if (node.IsMap()) {
    json object = json::object();
    for (const auto& field : node) object[field.first.Scalar()] = to_json(field.second, depth + 1);
    return object;
  }
  if (node.IsSequence()) {
    json list = json::array();
    for (const auto& item : node) list.push_back(to_json(item, depth + 1));
    return list;
  }
  return node.IsScalar() ? scalar(node) : json();
}

}  // namespace

Result<fleet::MCPServer> parse_manifest(std::string_view text, const std::string& name) {
  if (text.size() > fleet::kMaxObjectBytes)
    return fail(ErrorKind::TooLarge, name + ": it is larger than 2 MiB");
  try {
    for (const YAML::Node& document : YAML::LoadAll(std::string(text))) {
      if (!document.IsMap() || !document["kind"] || document["kind"].Scalar() != fleet::kKind)
        continue;
      auto server = fleet::decode(to_json(document, 0).dump());
      if (!server) return fail(server.error().context(name));
      return server;
    }
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::Invalid, name + ":" + std::to_string(error.mark.line + 1) +
                                        ": it is not YAML: " + error.msg);
  } catch (const json::exception&) {
    return fail(ErrorKind::Invalid, name + ": it has text that is not UTF-8");
  }
  return fail(ErrorKind::Invalid, name + ": there is no object of kind MCPServer in it");
}

}  // namespace mcpfleet::tools
