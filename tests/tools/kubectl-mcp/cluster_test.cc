#include "tools/kubectl-mcp/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace mcpfleet::kubectl {
namespace {

using ::testing::HasSubstr;

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() {
    std::filesystem::create_directories(home_ + "/.kube");
    std::ofstream(home_ + "/.kube/config") << R"(
current-context: work
contexts:
- name: work
  context: {cluster: c, user: u, namespace: team}
- name: bare
  context: {cluster: c, user: u}
clusters:
- name: c
  cluster: {server: "http://127.0.0.1:1"}
users:
- name: u
  user: {token: t}
)";
  }

  std::function<std::string(const char*)> environment(std::map<std::string, std::string> values) {
    return [values](const char* name) {
      const auto found = values.find(name);
      return found == values.end() ? "" : found->second;
    };
  }

  const std::string home_ = testing::TempDir() + "kubectl-mcp-home";
};

TEST_F(ClusterTest, TheKubeconfigIsFoundAsKubectlFindsIt) {
  const auto both = environment({{"HOME", home_}, {"KUBECONFIG", "a:b"}});
  EXPECT_EQ(find_kubeconfig("given", both), "given");
  EXPECT_EQ(find_kubeconfig("", both), "a:b");
  EXPECT_EQ(find_kubeconfig("", environment({{"HOME", home_}})), home_ + "/.kube/config");
  EXPECT_EQ(find_kubeconfig("", environment({{"HOME", home_ + "/none"}})), "");
  EXPECT_EQ(find_kubeconfig("", environment({})), "");
}

TEST_F(ClusterTest, TheNamespaceIsTheContexts) {
  const auto home = environment({{"HOME", home_}});
  EXPECT_EQ(open_cluster({}, home)->namespace_, "team");
  EXPECT_EQ(open_cluster({.context = "bare"}, home)->namespace_, "default");
  EXPECT_EQ(open_cluster({.namespace_ = "other"}, home)->namespace_, "other");
}

TEST_F(ClusterTest, AContextThatIsNotThereIsNamed) {
  const auto cluster = open_cluster({.context = "x"}, environment({{"HOME", home_}}));
  ASSERT_FALSE(cluster);
  EXPECT_THAT(cluster.error().message, HasSubstr("contexts has no entry named \"x\""));
}

TEST_F(ClusterTest, AServerNeedsNoKubeconfig) {
  EXPECT_EQ(open_cluster({.server = "http://127.0.0.1:8001"}, environment({}))->namespace_,
            "default");
  const auto wrong = open_cluster({.server = "nonsense"}, environment({}));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("--server"));
}

TEST_F(ClusterTest, WhoNeedsAProgramForCredentialsIsToldAWay) {
  std::ofstream(home_ + "/exec") << R"(
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {exec: {command: aws}}}]
)";
  const auto cluster = open_cluster({.kubeconfig = home_ + "/exec"}, environment({}));
  ASSERT_FALSE(cluster);
  EXPECT_THAT(cluster.error().message, HasSubstr("kubectl proxy"));
}

TEST(KubectlWords, AreKubectls) {
  const std::string get = "get /apis/mcpfleet.dev/v1alpha1/namespaces/n/mcpservers/x: ";
  EXPECT_EQ(kubectl_words({ErrorKind::NotFound, get + R"(mcpservers.mcpfleet.dev "x" not found)"}),
            R"(Error from server (NotFound): mcpservers.mcpfleet.dev "x" not found)");
  EXPECT_EQ(kubectl_words({ErrorKind::Forbidden, get + "you may not"}),
            "Error from server (Forbidden): you may not");
  EXPECT_THAT(kubectl_words(
                  {ErrorKind::NotFound, get + "the server could not find the requested resource"}),
              HasSubstr("has no MCPServers"));
  EXPECT_EQ(kubectl_words({ErrorKind::Unavailable, get + "connection refused"}),
            "Unable to connect to the server: connection refused");
  EXPECT_EQ(kubectl_words({ErrorKind::Invalid, "no cluster to talk to"}),
            "error: no cluster to talk to");
}

}  // namespace
}  // namespace mcpfleet::kubectl
