#include "gateway/routes_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "route_log.h"

namespace mcpfleet::gateway {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

constexpr const char* kRoutes = R"(
kind: MCPServer
metadata: {namespace: team, name: a}
spec: {source: {type: ContainerImage, containerImage: {ref: x}}}
---
kind: List
items:
- kind: EndpointSlice
  metadata: {namespace: team, name: a-1, labels: {kubernetes.io/service-name: a}}
  addressType: IPv4
  ports: [{name: mcp, port: 19080}]
  endpoints: [{addresses: ["127.0.0.1"], targetRef: {name: a-0}}]
- {kind: ConfigMap, metadata: {name: nobody-asked}}
)";

class File {
 public:
  explicit File(const std::string& content)
      : path_(::testing::TempDir() + "mcpfleet-routes-" + std::to_string(::getpid()) + ".yaml") {
    write(content);
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // As editors and kubelets do: whoever looks sees the old one or the new one.
  void write(const std::string& content) const {
    std::ofstream(path_ + ".new") << content;
    std::filesystem::rename(path_ + ".new", path_);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// What was told until that line.
std::vector<std::string> until(RouteLog& log, const std::string& part) {
  std::vector<std::string> lines;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    for (auto& line : log.take()) lines.push_back(std::move(line));
    if (!lines.empty() && lines.back().find(part) != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return lines;
}

TEST(RoutesFile, TellsItsObjectsAndWhatChanges) {
  const File file(kRoutes);
  RouteLog log;
  auto started = RoutesFile::start(file.path(), log);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT(log.take(),
              ElementsAre("server team/a /mcp 1000", "slice team/a a-1 127.0.0.1", "complete"));
  file.write(
      "kind: MCPServer\nmetadata: {namespace: team, name: b}\n"
      "spec: {source: {type: ContainerImage, containerImage: {ref: x}}}\n");
  EXPECT_THAT(until(log, "complete"),
              IsSupersetOf({"server team/b /mcp 1000", "no server team/a", "no slice team/a a-1"}));
  file.write("kind: [");
  EXPECT_THAT(until(log, "it is not YAML").back(), HasSubstr("complete: " + file.path()));
  file.write(kRoutes);
  EXPECT_THAT(until(log, "complete"), Contains("server team/a /mcp 1000"));
}

TEST(RoutesFile, AnMCPGatewayInItCounts) {
  const File file(std::string(kRoutes) +
                  "---\nkind: MCPGateway\nmetadata: {namespace: team, name: front}\n"
                  "spec: {limits: {maxInFlight: 3}, accessLog: {sample: 1}}\n");
  RouteLog log;
  ASSERT_TRUE(RoutesFile::start(file.path(), log));
  EXPECT_THAT(log.take(), IsSupersetOf({"sample 1", "server team/a /mcp 3"}));
}

TEST(RoutesFile, SaysWhatIsWrongAtTheStart) {
  RouteLog log;
  EXPECT_EQ(RoutesFile::start("/nowhere/routes", log).error().message,
            "cannot read /nowhere/routes: No such file or directory");
  const File file("kind: MCPServer\nmetadata: {name: a}\nspec: {source: {type: Nothing}}\n");
  EXPECT_THAT(RoutesFile::start(file.path(), log).error().message,
              HasSubstr(file.path() + ": spec.source.type"));
}

}  // namespace
}  // namespace mcpfleet::gateway
