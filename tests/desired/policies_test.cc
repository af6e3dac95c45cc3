// ServiceAccount, PodDisruptionBudget, NetworkPolicy and ServiceMonitor.
#include <gtest/gtest.h>

#include "desired/desired.h"
#include "servers.h"

namespace mcpfleet::desired {
namespace {

json spec_of(const char* spec, const char* kind) {
  Context with = context();
  with.service_monitor = true;
  const json object = find(build(server_with(spec), with), kind);
  return object.is_null() ? object : object["spec"];
}

TEST(PoliciesTest, TheServiceAccountGivesNoToken) {
  const json account = find(build(server_with("{}"), context()), "ServiceAccount");
  EXPECT_EQ(account["automountServiceAccountToken"], false);
}

TEST(PoliciesTest, DisruptionBudget) {
  const json by_share =
      spec_of(R"({"disruption": {"maxUnavailable": "25%"}})", "PodDisruptionBudget");
  EXPECT_EQ(by_share, json::parse(R"({"selector": {"matchLabels": {"mcpfleet.dev/server": "time"}},
      "unhealthyPodEvictionPolicy": "AlwaysAllow", "maxUnavailable": "25%"})"));
  const json by_count = spec_of(R"({"disruption": {"minAvailable": 0}})", "PodDisruptionBudget");
  EXPECT_EQ(by_count["minAvailable"], 0);
  EXPECT_FALSE(by_count.contains("maxUnavailable"));
}

const char* const kPods = R"({"podSelector": {"matchLabels": {"mcpfleet.dev/server": "time"}}})";
// Of the same namespace.
const char* const kGateways =
    R"({"podSelector": {"matchExpressions": [{"key": "mcpfleet.dev/gateway", "operator": "Exists"}]}})";

TEST(PoliciesTest, NobodyElseMayCall) {
  const json spec = spec_of(R"({"network": {"ingressFrom": []}})", "NetworkPolicy");
  EXPECT_EQ(spec["podSelector"], json::parse(kPods)["podSelector"]);
  EXPECT_EQ(spec["policyTypes"], json::parse(R"(["Ingress"])"));
  EXPECT_FALSE(spec.contains("egress"));
  const json want = json::parse(std::string(R"([{"from": [)") + kPods + "," + kGateways +
                                R"(], "ports": [{"protocol": "TCP", "port": 19080}]},
                                {"ports": [{"protocol": "TCP", "port": 19090}]}])");
  EXPECT_EQ(spec["ingress"], want);
}

TEST(PoliciesTest, ThesePeersMayCall) {
  const json spec = spec_of(
      R"({"network": {"ingressFrom": [{"namespaceSelector": {"matchLabels": {"team": "agents"}}}]}})",
      "NetworkPolicy");
  EXPECT_EQ(
      spec["ingress"][0]["from"],
      json::parse(std::string(R"([{"namespaceSelector": {"matchLabels": {"team": "agents"}}}, )") +
                  kPods + "," + kGateways + "]"));
  EXPECT_EQ(spec["ingress"][0]["ports"], json::parse(R"([{"protocol": "TCP", "port": 19080}])"));
}

TEST(PoliciesTest, TheServerMayReachNobodyElse) {
  const json spec = spec_of(R"({"network": {"egressTo": []}})", "NetworkPolicy");
  EXPECT_EQ(spec["policyTypes"], json::parse(R"(["Egress"])"));
  EXPECT_FALSE(spec.contains("ingress"));
  const json want = json::parse(std::string(R"([{"to": [)") + kPods +
                                R"(], "ports": [{"protocol": "TCP", "port": 19080}]},
      {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}])");
  EXPECT_EQ(spec["egress"], want) << "a rule with an empty list would let it reach everybody";
}

TEST(PoliciesTest, BothDirections) {
  const json spec = spec_of(
      R"({"network": {"ingressFrom": [], "egressTo": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}})",
      "NetworkPolicy");
  EXPECT_EQ(spec["policyTypes"], json::parse(R"(["Ingress", "Egress"])"));
  ASSERT_EQ(spec["egress"].size(), 3U);
  EXPECT_EQ(spec["egress"][2], json::parse(R"({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})"));
}

TEST(PoliciesTest, NoDirectionIsNoPolicy) {
  EXPECT_EQ(spec_of(R"({"network": {}})", "NetworkPolicy"), nullptr);
  EXPECT_TRUE(unwanted(build(server_with(R"({"network": {}})"), context()), "NetworkPolicy"));
}

TEST(PoliciesTest, ServiceMonitorOnlyWhereItsKindExists) {
  EXPECT_EQ(spec_of("{}", "ServiceMonitor"), json::parse(R"({
      "selector": {"matchLabels": {"mcpfleet.dev/server": "time"}},
      "endpoints": [{"port": "metrics", "path": "/metrics"}]})"));
  const auto without = build(server_with("{}"), context());
  EXPECT_EQ(find(without, "ServiceMonitor"), nullptr);
  EXPECT_FALSE(unwanted(without, "ServiceMonitor"));
}

}  // namespace
}  // namespace mcpfleet::desired
