#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fleet/decode.h"
#include "manifests.h"

namespace mcpfleet::fleet {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

MCPGateway decoded(const json& object) {
  const auto gateway = decode_gateway(object.dump());
  EXPECT_TRUE(gateway) << gateway.error().message;
  return gateway.value_or(MCPGateway{});
}

TEST(GatewayTest, TheLeastGetsTheDefaults) {
  const auto gateway = decoded(minimal_gateway());
  EXPECT_EQ(key(gateway), "tools/main");
  EXPECT_EQ(gateway.uid, "g-1");
  EXPECT_EQ(gateway.generation, 2);
  EXPECT_EQ(gateway.server_selector, LabelSelector{});
  EXPECT_EQ(gateway.namespaces_from, NamespacesFrom::Same);
  EXPECT_EQ(gateway.replicas, 2);
  EXPECT_EQ(service_port(gateway), 80);
  EXPECT_EQ(gateway.traffic, TrafficSettings{});
  EXPECT_EQ(gateway.traffic.load_balancing.policy, LoadBalancingPolicy::PowerOfTwoChoices);
  EXPECT_EQ(gateway.traffic.health.interval, seconds(30));
  EXPECT_EQ(gateway.traffic.retries, (Retries{3, seconds(1)}));
  EXPECT_EQ(gateway.traffic.timeouts.idle, seconds(300));
  EXPECT_EQ(gateway.traffic.connection_pool, (ConnectionPool{0, 1024, seconds(30), seconds(60)}));
  EXPECT_EQ(gateway.drain_timeout, seconds(30));
  EXPECT_EQ(gateway.session_key_revision, 0);
  EXPECT_EQ(gateway.disruption, (Disruption{"1", ""}));
}

TEST(GatewayTest, ReadsEveryField) {
  const auto gateway = decoded(full_gateway());
  EXPECT_EQ(gateway.server_selector.match_labels, (Labels{{"team", "search"}}));
  ASSERT_EQ(gateway.server_selector.match_expressions.size(), 1U);
  EXPECT_EQ(gateway.server_selector.match_expressions[0],
            (SelectorRequirement{"tier", SelectorOperator::NotIn, {"test", "lab"}}));
  EXPECT_EQ(gateway.namespaces_from, NamespacesFrom::All);
  EXPECT_EQ(gateway.replicas, 3);
  EXPECT_EQ(json::parse(gateway.resources), full_gateway()["spec"]["resources"]);
  EXPECT_EQ(gateway.service,
            (GatewayService{ServiceType::LoadBalancer, 8443, {{"example.com/internal", "true"}}}));
  EXPECT_EQ(gateway.tls_secret_name, "gateway-tls");
  EXPECT_EQ(gateway.traffic.load_balancing,
            (LoadBalancing{LoadBalancingPolicy::LeastConnections, {{"a", 3}}}));
  EXPECT_EQ(gateway.traffic.health,
            (HealthCheck{HealthCheckType::Mcp, seconds(20), seconds(2), 4, 1}));
  EXPECT_EQ(gateway.traffic.ejection, (Ejection{7, seconds(10), minutes(2), 30, seconds(15)}));
  EXPECT_EQ(gateway.traffic.timeouts,
            (Timeouts{seconds(1), seconds(0), seconds(9), minutes(3), minutes(2)}));
  EXPECT_EQ(gateway.traffic.retries, (Retries{2, milliseconds(250)}));
  EXPECT_EQ(gateway.traffic.connection_pool, (ConnectionPool{3, 70, seconds(8), seconds(20)}));
  EXPECT_EQ(gateway.traffic.limits,
            (Limits{200, 300, 0, seconds(3), {{RateScope::Caller, "search", 10, minutes(1)}}}));
  EXPECT_EQ(gateway.access_log_sample, 1);
  EXPECT_EQ(gateway.drain_timeout, seconds(45));
  EXPECT_EQ(gateway.session_key_revision, 4);
  EXPECT_EQ(gateway.disruption, (Disruption{"\"50%\"", ""}));
  EXPECT_EQ(json::parse(gateway.pod_template), full_gateway()["spec"]["podTemplate"]);
}

TEST(GatewayTest, EachPolicyScopeAndOperatorIsRead) {
  const std::pair<const char*, LoadBalancingPolicy> policies[] = {
      {"PowerOfTwoChoices", LoadBalancingPolicy::PowerOfTwoChoices},
      {"RoundRobin", LoadBalancingPolicy::RoundRobin},
      {"Weighted", LoadBalancingPolicy::Weighted},
      {"LeastConnections", LoadBalancingPolicy::LeastConnections},
      {"FastestResponse", LoadBalancingPolicy::FastestResponse}};
  for (const auto& [text, policy] : policies) {
    json object = minimal_gateway();
    object["spec"]["loadBalancing"]["policy"] = text;
    EXPECT_EQ(decoded(object).traffic.load_balancing.policy, policy) << text;
  }
  const std::pair<const char*, RateScope> scopes[] = {
      {"Server", RateScope::Server}, {"Tool", RateScope::Tool}, {"Caller", RateScope::Caller}};
  for (const auto& [text, scope] : scopes) {
    json object = minimal_gateway();
    object["spec"]["limits"]["rates"] = {{{"per", text}, {"calls", 2}}};
    EXPECT_EQ(decoded(object).traffic.limits.rates,
              (std::vector<RateLimit>{{scope, "", 2, seconds(1)}}))
        << text;
  }
}

TEST(GatewayTest, WhatContradictsItselfIsRefusedByName) {
  struct Case {
    const char* spec;
    const char* want;
  };
  const Case cases[] = {
      {R"({"health": {"interval": "1s", "timeout": "2s"}})",
       "spec.health.timeout must not be longer than interval"},
      {R"({"ejection": {"baseTime": "10m"}})",
       "spec.ejection.baseTime must not be longer than maxTime"},
      {R"({"connectionPool": {"minConnections": 3, "maxConnections": 2}})",
       "spec.connectionPool.minConnections must not be more than maxConnections"},
      {R"({"limits": {"rates": [{"per": "Server", "tool": "a", "calls": 1}]}})",
       "spec.limits.rates[0].tool has no effect with per Server; write per: Tool"},
      {R"({"serverSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}})",
       "spec.serverSelector.matchExpressions[0].values must not be empty with operator In"},
      {R"({"serverSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}})",
       "spec.serverSelector.matchExpressions[0].values must be empty with operator Exists"},
      {R"({"loadBalancing": {"weights": [{"zone": "a", "weight": 1}, {"zone": "a", "weight": 2}]}})",
       "spec.loadBalancing.weights[1].zone must be unique, and \"a\" is there twice"},
      {R"({"disruption": {}})",
       "spec.disruption must have exactly one of maxUnavailable and minAvailable"},
  };
  for (const auto& [spec, want] : cases) {
    json object = minimal_gateway();
    object["spec"] = json::parse(spec);
    const auto gateway = decode_gateway(object.dump());
    ASSERT_FALSE(gateway) << spec;
    EXPECT_EQ(gateway.error().message, want);
  }
}

TEST(GatewayTest, ThePortFollowsTls) {
  MCPGateway gateway;
  EXPECT_EQ(service_port(gateway), 80);
  gateway.tls_secret_name = "tls";
  EXPECT_EQ(service_port(gateway), 443);
  gateway.service.port = 8080;
  EXPECT_EQ(service_port(gateway), 8080);
}

TEST(GatewayTest, ServesByNamespaceAndLabels) {
  MCPGateway gateway;
  gateway.namespace_ = "tools";
  MCPServer server;
  server.namespace_ = "tools";
  server.labels = {{"team", "search"}};
  EXPECT_TRUE(serves(gateway, server));
  gateway.server_selector.match_labels = {{"team", "search"}};
  EXPECT_TRUE(serves(gateway, server));
  server.namespace_ = "other";
  EXPECT_FALSE(serves(gateway, server));
  gateway.namespaces_from = NamespacesFrom::All;
  EXPECT_TRUE(serves(gateway, server));
  server.labels = {{"team", "mail"}};
  EXPECT_FALSE(serves(gateway, server));
  gateway.server_selector = {};
  server.workload_ref = WorkloadRef{"Deployment", "x"};
  EXPECT_FALSE(serves(gateway, server));
}

TEST(LabelSelectorTest, RequirementsAreReadAsKubernetesDoes) {
  struct Case {
    SelectorRequirement requirement;
    bool with_a;     // labels {tier: a}
    bool with_c;     // labels {tier: c}
    bool with_none;  // no labels
  };
  const Case cases[] = {
      {{"tier", SelectorOperator::In, {"a", "b"}}, true, false, false},
      {{"tier", SelectorOperator::NotIn, {"a", "b"}}, false, true, true},
      {{"tier", SelectorOperator::Exists, {}}, true, true, false},
      {{"tier", SelectorOperator::DoesNotExist, {}}, false, false, true},
  };
  for (const auto& c : cases) {
    const LabelSelector selector{{}, {c.requirement}};
    EXPECT_EQ(matches(selector, {{"tier", "a"}}), c.with_a);
    EXPECT_EQ(matches(selector, {{"tier", "c"}}), c.with_c);
    EXPECT_EQ(matches(selector, {}), c.with_none);
  }
  const LabelSelector both{{{"app", "x"}}, {{"tier", SelectorOperator::Exists, {}}}};
  EXPECT_TRUE(matches(both, {{"app", "x"}, {"tier", ""}}));
  EXPECT_FALSE(matches(both, {{"app", "y"}, {"tier", ""}}));
  EXPECT_FALSE(matches(both, {{"app", "x"}}));
}

TEST(GatewaySettingsTest, AServerReplacesWhatItSays) {
  const auto gateway = decoded(full_gateway());
  EXPECT_EQ(settings_for(gateway.traffic, {}), gateway.traffic);
  ProxyOverride proxy;
  proxy.limits.max_in_flight = 7;
  proxy.limits.rates.emplace();
  proxy.timeouts.call = minutes(9);
  proxy.connection_pool.max_connections = 5;
  const auto settings = settings_for(gateway.traffic, proxy);
  EXPECT_EQ(settings.limits, (Limits{7, 300, 0, seconds(3), {}}));
  EXPECT_EQ(settings.timeouts,
            (Timeouts{seconds(1), minutes(9), seconds(9), minutes(3), minutes(2)}));
  EXPECT_EQ(settings.load_balancing, gateway.traffic.load_balancing);
  EXPECT_EQ(settings.connection_pool, (ConnectionPool{3, 5, seconds(8), seconds(20)}));

  const auto server = decode(full().dump());
  ASSERT_TRUE(server) << server.error().message;
  const auto all = settings_for(gateway.traffic, server->proxy);
  EXPECT_EQ(all.load_balancing, (LoadBalancing{LoadBalancingPolicy::Weighted, {{"b", 4}}}));
  EXPECT_EQ(all.timeouts, (Timeouts{seconds(2), minutes(10), seconds(7), seconds(8), minutes(1)}));
  EXPECT_EQ(all.limits,
            (Limits{20, 30, 40, seconds(5), {{RateScope::Tool, "search", 5, minutes(1)}}}));
  EXPECT_EQ(all.connection_pool, (ConnectionPool{1, 9, seconds(2), seconds(5)}));
  EXPECT_EQ(all.health, gateway.traffic.health);
}

TEST(GatewayStatusTest, SurvivesEncoding) {
  GatewayStatus status{.observed_generation = 3,
                       .replicas = 2,
                       .ready_replicas = 1,
                       .selector = "mcpfleet.dev/gateway=main",
                       .address_url = "http://main.tools.svc",
                       .servers = 12,
                       .conditions = {{"Ready", ConditionStatus::True, "Serving",
                                       "2 of 2 replicas are ready", WallTime(seconds(1000)), 3}}};
  EXPECT_EQ(decode_gateway_status(encode_gateway_status(status)), status);
  EXPECT_EQ(decode_gateway_status("nonsense"), GatewayStatus{});
  EXPECT_EQ(decode_gateway_status(R"({"replicas": "many", "conditions": 3})"), GatewayStatus{});
}

}  // namespace
}  // namespace mcpfleet::fleet
