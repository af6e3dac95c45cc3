#include "tools/mcp-simulate/manifest.h"

#include "fleet/decode.h"
#include "manifest/manifest.h"

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

Result<fleet::MCPServer> parse_manifest(std::string_view text, const std::string& name) {
  const auto objects = manifest::read_objects(text, name, fleet::kMaxObjectBytes);
  if (!objects) return fail(objects.error());
  for (const auto& object : *objects) {
    if (object.kind != fleet::kKind) continue;
    auto server = fleet::decode(object.json);
    if (!server) return fail(server.error().context(name));
    return server;
  }
  return fail(ErrorKind::Invalid, name + ": there is no object of kind MCPServer in it");
}

}  // namespace mcpfleet::tools
