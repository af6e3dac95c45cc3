#include "operator/scale_writer.h"

#include <string>

#include "desired/desired.h"
#include "kube/paths.h"

namespace mcpfleet::op {

Result<void> write_scale(kube::Client& client, const fleet::MCPServer& server, int replicas) {
  const auto& workload = server.workload_ref;
  const bool stateful = workload && workload->kind == "StatefulSet";
  const std::string path =
      kube::object_path("apps/v1", server.namespace_, stateful ? "statefulsets" : "deployments",
                        workload ? workload->name : server.name) +
      "/scale";
  auto answer = client.merge_patch(
      path, R"({"spec":{"replicas":)" + std::to_string(replicas) + "}}", desired::kFieldManager);
  if (!answer) return fail(answer.error());
  return {};
}

}  // namespace mcpfleet::op
