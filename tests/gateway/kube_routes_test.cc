#include "gateway/kube_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "route_log.h"
#include "tests/kube/fake_client.h"

namespace mcpfleet::gateway {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr const char* kListEnd =
    R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"10",)"
    R"("annotations":{"k8s.io/initial-events-end":"true"}}}})";

std::string server(const std::string& ns, const std::string& name) {
  return R"({"metadata":{"namespace":")" + ns + R"(","name":")" + name +
         R"(","uid":"u","resourceVersion":"5"},"spec":{"source":{"type":"ContainerImage",)"
         R"("containerImage":{"ref":"x"}}}})";
}

std::string gateway(const std::string& from, int version) {
  return R"({"metadata":{"namespace":"team","name":"front","uid":"g","resourceVersion":")" +
         std::to_string(version) + R"("},"spec":{"namespaces":{"from":")" + from + R"("}}})";
}

std::string slice(const std::string& version, const std::string& address) {
  return R"({"metadata":{"namespace":"team","name":"a-1","uid":"s","resourceVersion":")" + version +
         R"(","labels":{"kubernetes.io/service-name":"a"}},"addressType":"IPv4",)"
         R"("ports":[{"port":19080}],"endpoints":[{"addresses":[")" +
         address + R"("]}]})";
}

// An API server whose watches begin with what is set, and stay open.
class Api {
 public:
  Api() {
    client.on_stream = [this](const std::string& path, const http::StreamHandler& handler) {
      const auto collection = path.substr(0, path.find('?'));
      std::string text;
      {
        const std::lock_guard lock(mutex_);
        open_[collection] = handler;
        paths_.push_back(path);
        for (const auto& object : objects_[collection]) text += event("ADDED", object);
      }
      handler.on_head(200, {});
      handler.on_data(text + kListEnd + "\n");
    };
  }

  void set(const std::string& collection, std::vector<std::string> objects) {
    const std::lock_guard lock(mutex_);
    objects_[collection] = std::move(objects);
  }
  void send(const std::string& collection, const std::string& type, const std::string& object) {
    http::StreamHandler handler;
    {
      const std::lock_guard lock(mutex_);
      handler = open_[collection];
    }
    handler.on_data(event(type, object));
  }
  std::vector<std::string> paths() {
    const std::lock_guard lock(mutex_);
    return paths_;
  }

  kube::FakeClient client;

 private:
  static std::string event(const std::string& type, const std::string& object) {
    return R"({"type":")" + type + R"(","object":)" + object + "}\n";
  }

  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> objects_;
  std::map<std::string, http::StreamHandler> open_;
  std::vector<std::string> paths_;
};

const std::string kApi = "/apis/mcpfleet.dev/v1alpha1";
const std::string kSlices = "/apis/discovery.k8s.io/v1";

// All that was told until that line was, which is the last one then.
std::vector<std::string> until(RouteLog& log, const std::string& line) {
  std::vector<std::string> lines;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    for (auto& one : log.take()) lines.push_back(std::move(one));
    if (std::ranges::find(lines, line) != lines.end()) return lines;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return lines;
}

TEST(KubeRoutes, WithoutAGatewayAllServersAreServed) {
  Api api;
  api.set(kApi + "/mcpservers", {server("team", "a"), server("other", "b")});
  api.set(kSlices + "/endpointslices", {slice("6", "10.0.0.1")});
  RouteLog log;
  const auto routes = KubeRoutes::start(api.client, {}, log);
  EXPECT_THAT(until(log, "complete"),
              IsSupersetOf({"server team/a /mcp 1000", "server other/b /mcp 1000",
                            "slice team/a a-1 10.0.0.1"}));
  api.send(kSlices + "/endpointslices", "MODIFIED", slice("11", "10.0.0.2"));
  EXPECT_THAT(until(log, "slice team/a a-1 10.0.0.2"), Contains("slice team/a a-1 10.0.0.2"));
  api.send(kSlices + "/endpointslices", "DELETED", slice("12", "10.0.0.2"));
  EXPECT_THAT(until(log, "no slice team/a a-1"), Contains("no slice team/a a-1"));
  api.send(kApi + "/mcpservers", "DELETED", server("team", "a"));
  EXPECT_THAT(until(log, "no server team/a"), Contains("no server team/a"));
  EXPECT_THAT(api.paths(), Contains(HasSubstr("labelSelector=mcpfleet.dev%2Fserver")));
}

TEST(KubeRoutes, TheGatewaySaysWhichNamespacesCount) {
  Api api;
  const auto gateways = kApi + "/namespaces/team/mcpgateways";
  api.set(gateways, {gateway("Same", 5)});
  api.set(kApi + "/namespaces/team/mcpservers", {server("team", "a")});
  api.set(kApi + "/mcpservers", {server("team", "a"), server("other", "b")});
  RouteLog log;
  const auto routes = KubeRoutes::start(api.client, {.gateway = kube::Key{"team", "front"}}, log);
  const auto first = until(log, "complete");
  EXPECT_THAT(first, Contains("server team/a /mcp 1000"));
  EXPECT_THAT(first, Not(Contains(HasSubstr("other/b"))));
  EXPECT_THAT(api.paths().front(), HasSubstr("fieldSelector=metadata.name%3Dfront"));
  api.send(gateways, "MODIFIED", gateway("All", 11));
  EXPECT_THAT(until(log, "server other/b /mcp 1000"), Contains("server other/b /mcp 1000"));
  api.send(gateways, "MODIFIED", gateway("Same", 12));
  EXPECT_THAT(until(log, "no server other/b"), Contains("no server other/b"));
}

TEST(KubeRoutes, SaysThatTheGatewayDoesNotExist) {
  Api api;
  RouteLog log;
  const auto routes = KubeRoutes::start(api.client, {.gateway = kube::Key{"team", "front"}}, log);
  const auto line = "incomplete: there is no MCPGateway team/front";
  EXPECT_THAT(until(log, line), Contains(line));
}

}  // namespace
}  // namespace mcpfleet::gateway
