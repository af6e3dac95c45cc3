#include "metrics-adapter/request_path.h"

#include <gtest/gtest.h>

#include "metrics-adapter/authorizer.h"

namespace mcpfleet::adapter {
namespace {

const std::string kPrefix = "/apis/custom.metrics.k8s.io/v1beta2";

TEST(RequestPathTest, ParsesTargets) {
  const auto target = parse_target("/a/%2A//b%20c?x=1&y=a%3Db+c&x=2&z&=&");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a/%2A//b%20c");
  EXPECT_EQ(target->segments, (std::vector<std::string>{"a", "*", "b c"}));
  EXPECT_EQ(target->query.find("x")->second, "1");
  EXPECT_EQ(target->query.find("y")->second, "a=b c");
  EXPECT_EQ(target->query.find("z")->second, "");
  for (const char* broken : {"/a%", "/a%2", "/a%zz", "/a?x=%", "/a?%=1"})
    EXPECT_FALSE(parse_target(broken)) << broken;
  EXPECT_FALSE(parse_target("/" + std::string(20'000, 'a')));
}

TEST(RequestPathTest, FindsWhatIsAsked) {
  const struct {
    std::string target;
    const char* namespace_;
    const char* resource;
    const char* name;
    const char* metric;
  } cases[] = {
      {kPrefix + "/namespaces/ns/pods/*/m", "ns", "pods", "*", "m"},
      {kPrefix + "/namespaces/ns/pods/%2A/m", "ns", "pods", "*", "m"},
      {kPrefix + "/namespaces/ns/mcpservers.mcpfleet.dev/x/m?pretty=true", "ns",
       "mcpservers.mcpfleet.dev", "x", "m"},
      {kPrefix + "/namespaces/ns/metrics/m", "", "namespaces", "ns", "m"},
      {kPrefix + "/nodes/n/m", "", "nodes", "n", "m"},
  };
  for (const auto& test : cases) {
    const auto target = parse_target(test.target).value();
    ASSERT_TRUE(is_resource(target));
    const auto path = parse_metric_path(target);
    ASSERT_TRUE(path) << test.target;
    EXPECT_EQ(path->namespace_, test.namespace_) << test.target;
    EXPECT_EQ(path->resource, test.resource) << test.target;
    EXPECT_EQ(path->name, test.name) << test.target;
    EXPECT_EQ(path->metric, test.metric) << test.target;
  }
  for (const char* rest : {"/namespaces/x/foo", "/nodes", "/nodes/n", "/namespaces/x/pods/p/m/more",
                           "/namespaces/x/pods/p", "/nodes/n/m/x"}) {
    const auto path = parse_metric_path(parse_target(kPrefix + rest).value());
    ASSERT_FALSE(path) << rest;
    EXPECT_EQ(path.error().message.substr(0, 20), "invalid request path");
  }
  EXPECT_FALSE(is_resource(parse_target(kPrefix).value()));
  EXPECT_FALSE(is_resource(parse_target("/healthz").value()));
}

TEST(AccessTest, AsRbacNamesIt) {
  const auto values = access_of(parse_target(kPrefix + "/namespaces/ns/pods/%2A/m?x=y").value());
  EXPECT_EQ(values.path, "");
  EXPECT_EQ(values.group, "custom.metrics.k8s.io");
  EXPECT_EQ(values.version, "v1beta2");
  EXPECT_EQ(values.namespace_, "ns");
  EXPECT_EQ(values.resource, "pods");
  EXPECT_EQ(values.name, "*");
  EXPECT_EQ(values.subresource, "m");
  const auto of_namespace = access_of(parse_target(kPrefix + "/namespaces/ns/metrics/m").value());
  EXPECT_EQ(of_namespace.namespace_, "ns");
  EXPECT_EQ(of_namespace.resource, "metrics");
  EXPECT_EQ(of_namespace.name, "m");
  EXPECT_EQ(access_of(parse_target(kPrefix + "/nodes/n/m").value()).resource, "nodes");
  EXPECT_EQ(access_of(parse_target("/apis?x").value()).path, "/apis");
  EXPECT_EQ(access_of(parse_target(kPrefix).value()).path, kPrefix);
}

TEST(AccessTest, AnExplanationNeedsTheRightToTheMetric) {
  const std::string own = "/apis/metrics.mcpfleet.dev/v1beta2";
  const auto access =
      access_of(parse_target(own + "/explain/namespaces/ns/mcpservers.mcpfleet.dev/x/m").value());
  EXPECT_EQ(access.namespace_, "ns");
  EXPECT_EQ(access.resource, "mcpservers.mcpfleet.dev");
  EXPECT_EQ(access.name, "x");
  EXPECT_EQ(access.subresource, "m");
  EXPECT_FALSE(explained(parse_target(own + "/explain").value()));
  EXPECT_FALSE(explained(parse_target(kPrefix + "/explain/namespaces/ns/pods/p/m").value()));
}

TEST(AccessTest, AnExplanationOfAnExternalMetricNeedsTheRightToThatMetric) {
  const std::string own = "/apis/metrics.mcpfleet.dev/v1beta2";
  for (const char* rest :
       {"/explain/namespaces/ns/m?labelSelector=a%3Db", "/namespaces/ns/m/explain"}) {
    const auto target = parse_target(own + rest).value();
    const auto inner = explained(target);
    ASSERT_TRUE(inner) << rest;
    const auto path = parse_external_path(*inner);
    ASSERT_TRUE(path) << rest;
    EXPECT_EQ(path->namespace_, "ns");
    EXPECT_EQ(path->metric, "m");
    EXPECT_EQ(inner->query, target.query);
    const auto access = access_of(target);
    EXPECT_EQ(access.verb, "list");
    EXPECT_EQ(access.group, "external.metrics.k8s.io");
    EXPECT_EQ(access.version, "v1beta1");
    EXPECT_EQ(access.namespace_, "ns");
    EXPECT_EQ(access.resource, "m");
  }
  EXPECT_EQ(explained(parse_target(own + "/explain/namespaces/ns/metrics/m").value())->segments[1],
            "metrics.mcpfleet.dev")
      << "a Namespace's own";
  EXPECT_FALSE(explained(parse_target(own + "/namespaces/ns/metrics/explain").value()));
  EXPECT_FALSE(explained(
      parse_target("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/m/explain").value()));
}

TEST(AccessTest, ExternalMetricsAreListed) {
  const auto access =
      access_of(parse_target("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/m").value());
  EXPECT_EQ(access.verb, "list");
  EXPECT_EQ(access.namespace_, "ns");
  EXPECT_EQ(access.resource, "m");
  EXPECT_EQ(access.name, "");
}

TEST(AccessTest, TheReviewSaysAllOfIt) {
  http::Identity identity{"u", "id", {"g"}, {{"k", {"v"}}}};
  AccessRequest access;
  access.group = "custom.metrics.k8s.io";
  access.version = "v1beta2";
  access.namespace_ = "ns";
  access.resource = "pods";
  access.subresource = "m";
  access.name = "*";
  EXPECT_EQ(access_review(identity, access),
            R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{)"
            R"("extra":{"k":["v"]},"groups":["g"],"resourceAttributes":{)"
            R"("group":"custom.metrics.k8s.io","name":"*","namespace":"ns","resource":"pods",)"
            R"("subresource":"m","verb":"get","version":"v1beta2"},"uid":"id","user":"u"}})");
  access = {};
  access.path = "/metrics";
  EXPECT_EQ(access_review({"u", "", {}, {}}, access),
            R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{)"
            R"("groups":[],"nonResourceAttributes":{"path":"/metrics","verb":"get"},"user":"u"}})");
}

}  // namespace
}  // namespace mcpfleet::adapter
