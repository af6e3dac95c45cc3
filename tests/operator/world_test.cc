#include "operator/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <set>

#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

// The paths that are asked for, without their queries.
class Asked {
 public:
  explicit Asked(kube::FakeClient& client) {
    client.on_stream = [this](const std::string& path, http::StreamHandler handler) {
      {
        std::lock_guard lock(mutex_);
        paths_.insert(path.substr(0, path.find('?')));
        changed_.notify_all();
      }
      handler.on_end(Error{ErrorKind::Unavailable, "nobody there"});
    };
  }
  std::set<std::string> first(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return paths_.size() >= count; });
    return paths_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> paths_;
};

TEST(World, WatchesTheWholeCluster) {
  kube::FakeClient client;
  Asked asked(client);
  World world([](const std::string&) {});
  world.start(client);
  const auto paths = asked.first(10);
  EXPECT_THAT(paths, Contains("/apis/mcpfleet.dev/v1alpha1/mcpservers"));
  EXPECT_THAT(paths, Contains("/apis/policy/v1/poddisruptionbudgets"));
  EXPECT_THAT(paths, Contains("/apis/mcpfleet.dev/v1alpha1/mcpgateways"));
  EXPECT_THAT(paths, Not(Contains("/api/v1/secrets")));
  EXPECT_THAT(paths, Not(Contains("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings")));
  EXPECT_FALSE(world.watches(ChildKind::Secret));
  EXPECT_FALSE(world.synced());
}

TEST(World, WatchesOnlyTheNamespacesAskedFor) {
  kube::FakeClient client;
  Asked asked(client);
  World world([](const std::string&) {}, {{"a", "b"}, /*secrets=*/true});
  world.start(client);
  const auto paths = asked.first(22);
  EXPECT_THAT(paths, Each(HasSubstr("/namespaces/")));
  EXPECT_THAT(paths, Contains("/apis/mcpfleet.dev/v1alpha1/namespaces/a/mcpservers"));
  EXPECT_THAT(paths, Contains("/apis/apps/v1/namespaces/b/deployments"));
  EXPECT_THAT(paths, Contains("/api/v1/namespaces/b/secrets"));
}

TEST(World, OptionalKindsComeAndGo) {
  for (const auto& type : kChildTypes) {
    if (!type.optional()) continue;
    kube::FakeClient client;
    Asked asked(client);
    World world([](const std::string&) {});
    EXPECT_FALSE(world.watch_optional(client, type, false));
    EXPECT_TRUE(world.watch_optional(client, type, true));
    EXPECT_FALSE(world.watch_optional(client, type, true));
    EXPECT_TRUE(world.watches(type.kind));
    EXPECT_THAT(asked.first(1),
                Contains(std::string("/apis/monitoring.coreos.com/v1/") + type.plural));
    EXPECT_TRUE(world.watch_optional(client, type, false));
    EXPECT_FALSE(world.watches(type.kind));
  }
}

TEST(World, ClusterRoleBindingsAreOfTheClusterAlsoWhereNamespacesAreWatched) {
  kube::FakeClient client;
  Asked asked(client);
  World world([](const std::string&) {}, {{"a"}, /*secrets=*/false, /*cluster_bindings=*/true});
  world.start(client);
  EXPECT_THAT(asked.first(11), Contains("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"));
}

TEST(World, AClusterRoleBindingIsItsGateways) {
  std::vector<std::string> changed;
  World world([&](const std::string& key) { changed.push_back(key); }, {{}, false, true});
  auto& bindings = world.sink(ChildKind::ClusterRoleBinding);
  bindings.upsert(R"({"metadata":{"name":"mcpfleet:gateway:ns:g","uid":"b",
      "annotations":{"mcpfleet.dev/gateway-uid":"g-uid"}}})");
  bindings.upsert(R"({"metadata":{"name":"other"}})");
  EXPECT_EQ(changed, std::vector<std::string>{"ns/g"});
  EXPECT_EQ(world.bound_gateways(), std::vector<std::string>{"ns/g"});
  const auto child = world.child(ChildKind::ClusterRoleBinding, "/mcpfleet:gateway:ns:g");
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(child->controller_kind, "MCPGateway");
  EXPECT_EQ(child->controller_uid, "g-uid");
  bindings.remove("", "mcpfleet:gateway:ns:g");
  EXPECT_EQ(changed, (std::vector<std::string>{"ns/g", "ns/g"}));
}

TEST(World, ASecretWakesItsServer) {
  std::vector<std::string> changed;
  World world([&](const std::string& key) { changed.push_back(key); }, {{}, /*secrets=*/true});
  auto& secrets = world.sink(ChildKind::Secret);
  secrets.upsert(R"({"metadata":{"namespace":"ns","name":"s-session-key"}})");
  secrets.upsert(R"({"metadata":{"namespace":"ns","name":"other"}})");
  secrets.upsert(R"({"metadata":{"namespace":"ns","name":"g-gateway-keys"}})");
  EXPECT_EQ(changed, (std::vector<std::string>{"ns/s", "ns/g"}));
}

}  // namespace
}  // namespace mcpfleet::op
