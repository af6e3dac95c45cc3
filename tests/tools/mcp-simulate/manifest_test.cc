#include "tools/mcp-simulate/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::tools {
namespace {

using ::testing::HasSubstr;

constexpr const char* kServer = R"(# two objects
kind: ConfigMap
---
apiVersion: mcpfleet.dev/v1alpha1
kind: MCPServer
metadata: {name: time}
spec:
  source: {type: ContainerImage, containerImage: {ref: "1.5"}}
  config:
    port: 3001
    env: [{name: PORT, value: "3001"}]
  autoscaling:
    minReplicas: 2
    targets: {requestsPerSecond: 20, concurrency: 2500m}
)";

TEST(Manifest, ReadsTheFirstMCPServer) {
  const auto server = parse_manifest(kServer, "time.yaml");
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->name, "time");
  EXPECT_EQ(server->image.ref, "1.5") << "what is quoted is a text";
  EXPECT_EQ(server->config.port, 3001);
  EXPECT_EQ(server->autoscaling->min_replicas, 2);
  EXPECT_EQ(server->autoscaling->targets.requests_per_second_milli, 20'000);
  EXPECT_EQ(server->autoscaling->targets.concurrency_milli, 2500);
}

TEST(Manifest, MayBeJson) {
  const auto server = parse_manifest(
      R"({"kind": "MCPServer", "apiVersion": "mcpfleet.dev/v1alpha1", "metadata": {"name": "x"},
          "spec": {"source": {"type": "ContainerImage", "containerImage": {"ref": "i"}}}})",
      "x.json");
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_FALSE(server->autoscaling);
}

TEST(Manifest, TheBuiltInOneIsGood) {
  const auto server = parse_manifest(kDefaultManifest, "the built-in MCPServer");
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->autoscaling->max_replicas, 100);
}

TEST(Manifest, RefusesByFile) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : std::vector<Case>{
           {"", "m.yaml: there is no object of kind MCPServer in it"},
           {"kind: Pod\n", "m.yaml: there is no object of kind MCPServer in it"},
           {"kind: MCPServer\nspec: [\n", "m.yaml:"},
           {"kind: MCPServer\nmetadata: {name: x}\nspec: {}\n", "m.yaml: spec.source is required"},
           {"kind: MCPServer\nmetadata: {name: \"\xff\"}\n", "m.yaml"}}) {
    const auto server = parse_manifest(text, "m.yaml");
    ASSERT_FALSE(server) << text;
    EXPECT_THAT(server.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace mcpfleet::tools
