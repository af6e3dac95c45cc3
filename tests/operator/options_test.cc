#include "operator/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace mcpfleet::op {
namespace {

using ::testing::HasSubstr;

Result<Options> parse(std::vector<std::string> arguments,
                      std::map<std::string, std::string> environment = {}) {
  return parse_options(arguments, [&](const char* name) { return environment[name]; });
}

TEST(Options, Defaults) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->namespace_, "mcpfleet-system");
  EXPECT_EQ(options->listen_address, "0.0.0.0");
  EXPECT_EQ(options->listen_port, 8080);
  EXPECT_EQ(options->workers, 8);
  EXPECT_EQ(options->kube_api_qps, 500);
  EXPECT_EQ(options->kube_api_burst, 1000);
}

TEST(Options, AFlagBeatsTheEnvironment) {
  const std::map<std::string, std::string> environment{{"POD_NAMESPACE", "env"},
                                                       {"MCPFLEET_SIDECAR_IMAGE", "env:1"}};
  auto options = parse({"--namespace=flag"}, environment);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->namespace_, "flag");
  EXPECT_EQ(options->sidecar_image, "env:1");
}

TEST(Options, BothSpellings) {
  const auto options = parse({"--listen", "127.0.0.1:0", "--workers=2", "--log-format", "json",
                              "--sidecar-pull-policy=Never", "--kubeconfig", "k", "--context=c",
                              "--kube-api-qps=20", "--kube-api-burst", "30"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->listen_address, "127.0.0.1");
  EXPECT_EQ(options->listen_port, 0);
  EXPECT_EQ(options->workers, 2);
  EXPECT_EQ(options->log_format, log::Format::Json);
  EXPECT_EQ(options->sidecar_pull_policy, "Never");
  EXPECT_EQ(options->kubeconfig, "k");
  EXPECT_EQ(options->context, "c");
  EXPECT_EQ(options->kube_api_qps, 20);
  EXPECT_EQ(options->kube_api_burst, 30);
}

TEST(Options, Gateways) {
  const auto defaults = parse({}, {{"MCPFLEET_GATEWAY_IMAGE", "env:1"}});
  ASSERT_TRUE(defaults) << defaults.error().message;
  EXPECT_EQ(defaults->gateway.image, "env:1");
  EXPECT_EQ(defaults->gateway.role, "mcp-gateway");
  EXPECT_FALSE(defaults->watched.cluster_bindings);
  const auto options = parse({"--gateway-image=g:2", "--gateway-pull-policy", "Always",
                              "--gateway-role=mine", "--gateway-all-namespaces=true"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->gateway.image, "g:2");
  EXPECT_EQ(options->gateway.pull_policy, "Always");
  EXPECT_EQ(options->gateway.role, "mine");
  EXPECT_TRUE(options->watched.cluster_bindings);
  const auto wrong = parse({"--gateway-pull-policy=Sometimes"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "--gateway-pull-policy must be Always, IfNotPresent or Never, not \"Sometimes\"");
}

TEST(Options, LeaderElection) {
  const auto defaults = parse({"--namespace=ns"});
  EXPECT_TRUE(defaults->leadership.elect);
  EXPECT_EQ(defaults->leadership.namespace_, "ns");
  EXPECT_EQ(defaults->leadership.terms, kube::ElectionTerms{});
  const auto options =
      parse({"--leader-elect=false", "--lease-duration=3s", "--lease-renew-deadline", "1500ms",
             "--lease-retry-period=200ms", "--identity=me"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_FALSE(options->leadership.elect);
  EXPECT_EQ(options->leadership.identity, "me");
  EXPECT_EQ(options->leadership.terms,
            (kube::ElectionTerms{std::chrono::seconds(3), std::chrono::milliseconds(1500),
                                 std::chrono::milliseconds(200)}));
}

TEST(Options, WhatIsWatched) {
  const auto all = parse({});
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->watched.namespaces.empty());
  EXPECT_FALSE(all->watched.secrets);
  EXPECT_TRUE(all->keep_sidecar);
  const auto some =
      parse({"--watch-namespaces=team-a,b,b", "--watch-secrets=true", "--sidecar-upgrade=AtOnce"});
  ASSERT_TRUE(some);
  EXPECT_EQ(some->watched.namespaces, (std::vector<std::string>{"team-a", "b"}));
  EXPECT_TRUE(some->watched.secrets);
  EXPECT_FALSE(some->keep_sidecar);
}

TEST(Options, RefusalsNameTheFlag) {
  const struct {
    std::vector<std::string> arguments;
    const char* want;
  } kCases[] = {
      {{"--nonsense"}, "--nonsense"},
      {{"--listen"}, "--listen needs a value"},
      {{"--listen=80"}, "--listen"},
      {{"--listen=a:b"}, "--listen"},
      {{"--listen=a:70000"}, "--listen"},
      {{"--workers=0"}, "--workers"},
      {{"--kube-api-qps=0"}, "--kube-api-qps must be a number from 1"},
      {{"--kube-api-burst=many"}, "--kube-api-burst must be a number from 1"},
      {{"--leader-elect=yes"}, "--leader-elect must be true or false"},
      {{"--lease-duration=1500ms"},
       "--lease-duration must be at most an hour and a multiple of 1s"},
      {{"--lease-duration=0s"}, "--lease-duration must be"},
      {{"--lease-retry-period=soon"}, "--lease-retry-period must be a duration"},
      {{"--lease-duration=8s"}, "--lease-renew-deadline must be less than --lease-duration"},
      {{"--lease-retry-period=5s"},
       "--lease-renew-deadline must be at least twice --lease-retry-period"},
      {{"--workers=2x"}, "--workers"},
      {{"--log-format=xml"}, "--log-format"},
      {{"--log-level=loud"}, "--log-level"},
      {{"--sidecar-pull-policy=Maybe"}, "Maybe"},
      {{"--sidecar-upgrade=Never"}, "--sidecar-upgrade must be WithNextRollout or AtOnce"},
      {{"--watch-namespaces=a,,b"}, "--watch-namespaces must be names of namespaces"},
      {{"--watch-namespaces=A"}, "--watch-namespaces"},
      {{"--watch-secrets=maybe"}, "--watch-secrets must be true or false"},
      {{"word"}, "word"},
  };
  for (const auto& c : kCases) {
    const auto options = parse(c.arguments);
    ASSERT_FALSE(options) << c.arguments[0];
    EXPECT_THAT(options.error().message, HasSubstr(c.want));
  }
}

}  // namespace
}  // namespace mcpfleet::op
