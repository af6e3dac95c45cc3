#include "kube/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mcpfleet::kube {
namespace {

using ::testing::HasSubstr;

constexpr const char* kComplete = R"(
apiVersion: v1
kind: Config
current-context: work
contexts:
- name: home
  context: {cluster: h, user: h}
- name: work
  context: {cluster: w, user: u, namespace: team}
clusters:
- name: h
  cluster: {server: "https://home:1"}
- name: w
  cluster:
    server: https://10.1.2.3:6443/base
    certificate-authority-data: Q0E=
    tls-server-name: api.example
users:
- name: h
  user: {}
- name: u
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
    token: secret
)";

TEST(Kubeconfig, TakesTheCurrentContext) {
  const auto config = parse_kubeconfig({{"/x/config", kComplete}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.endpoint.host, "10.1.2.3");
  EXPECT_EQ(config->server.endpoint.port, 6443);
  EXPECT_TRUE(config->server.endpoint.tls);
  EXPECT_EQ(config->server.path, "/base");
  EXPECT_EQ(config->tls.ca_pem, "CA");
  EXPECT_EQ(config->tls.client_certificate_pem, "CERT");
  EXPECT_EQ(config->tls.client_key_pem, "KEY");
  EXPECT_EQ(config->tls.server_name, "api.example");
  EXPECT_FALSE(config->tls.insecure_skip_verify);
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->namespace_, "team");
}

std::string with(const std::string& cluster, const std::string& user) {
  return "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
         "clusters: [{name: k, cluster: " +
         cluster + "}]\nusers: [{name: u, user: " + user + "}]\n";
}

TEST(Kubeconfig, FilesAreRelativeToItsOwnDirectory) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "kubeconfig_files";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "ca.pem") << "from the file";
  const auto config = parse_kubeconfig(
      {{(directory / "config").string(),
        with("{server: 'https://a:1', certificate-authority: ca.pem}", "{tokenFile: token}")}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tls.ca_pem, "from the file");
  EXPECT_EQ(config->token_file, (directory / "token").string());
}

TEST(Kubeconfig, RefusesWhatItCannotUse) {
  const struct {
    const char* name;
    std::string yaml;
    const char* want;
  } kCases[] = {
      {"not yaml", "a: [", "not YAML"},
      {"not a mapping", "- a", "not a mapping"},
      {"no current context", "contexts: []", "current-context"},
      {"unknown context", "current-context: x\ncontexts: []", "contexts has no entry named \"x\""},
      {"no server", with("{}", "{}"), "no server"},
      {"bad server", with("{server: 'ftp://x'}", "{}"), "server"},
      {"exec plugin", with("{server: 'https://a:1'}", "{exec: {command: aws}}"), "\"exec\""},
      {"auth provider", with("{server: 'https://a:1'}", "{auth-provider: {name: gcp}}"),
       "\"auth-provider\""},
      {"password", with("{server: 'https://a:1'}", "{username: me}"), "\"username\""},
      {"impersonation", with("{server: 'https://a:1'}", "{as: somebody}"), "\"as\""},
      {"proxy", with("{server: 'https://a:1', proxy-url: 'http://p'}", "{}"), "\"proxy-url\""},
      {"wrong type", "current-context: {}\ncontexts: []", "current-context"},
      {"bad base64", with("{server: 'https://a:1', certificate-authority-data: '*'}", "{}"),
       "certificate-authority-data"},
      {"missing file", with("{server: 'https://a:1'}", "{client-key: nowhere}"), "client-key"},
  };
  for (const auto& c : kCases) {
    const auto config = parse_kubeconfig({{"/nonexistent/config", c.yaml}});
    ASSERT_FALSE(config) << c.name;
    EXPECT_EQ(config.error().kind, ErrorKind::Invalid) << c.name;
    EXPECT_THAT(config.error().message, HasSubstr(c.want)) << c.name;
  }
}

TEST(Kubeconfig, TakesTheContextThatIsAskedFor) {
  const auto config = parse_kubeconfig({{"/x/config", kComplete}}, "home");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.endpoint.host, "home");
  EXPECT_EQ(config->token, "");
  const auto unknown = parse_kubeconfig({{"/x/config", kComplete}}, "away");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("contexts has no entry named \"away\""));
}

TEST(Kubeconfig, OfSeveralFilesTheFirstThatSaysSomethingCounts) {
  const std::vector<KubeconfigFile> files{
      {"/a/config", ""},
      {"/b/config",
       "current-context: work\nusers: [{name: u, user: {tokenFile: mine}}]\n"
       "contexts: [{name: extra, context: {cluster: h, user: u}}]"},
      {"/c/config", kComplete}};
  const auto config = parse_kubeconfig(files);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.endpoint.host, "10.1.2.3");
  EXPECT_EQ(config->token, "");
  EXPECT_EQ(config->token_file, "/b/mine");
  const auto extra = parse_kubeconfig(files, "extra");
  ASSERT_TRUE(extra) << extra.error().message;
  EXPECT_EQ(extra->server.endpoint.host, "home");
}

TEST(Kubeconfig, AListOfFilesMayNameSomeThatDoNotExist) {
  const auto file = std::filesystem::path(testing::TempDir()) / "kubeconfig_of_a_list";
  std::ofstream(file) << kComplete;
  const auto config = load_config("/nonexistent/a:" + file.string() + ":");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->namespace_, "team");
  for (const char* none : {"/nonexistent/a:/nonexistent/b", "/nonexistent/a"}) {
    const auto missing = load_config(none);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/a"));
  }
}

TEST(InClusterConfig, ReadsTheServiceAccount) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "serviceaccount";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "ca.crt") << "CA";
  std::ofstream(directory / "token") << "T";
  std::ofstream(directory / "namespace") << "ns";
  const auto config = in_cluster_config("fd00::1", "443", directory.string());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.endpoint.host, "fd00::1");
  EXPECT_EQ(config->tls.ca_pem, "CA");
  EXPECT_EQ(config->token_file, directory.string() + "/token");
  EXPECT_EQ(config->namespace_, "ns");
  EXPECT_FALSE(in_cluster_config("10.0.0.1", "443", "/nonexistent"));
}

}  // namespace
}  // namespace mcpfleet::kube
