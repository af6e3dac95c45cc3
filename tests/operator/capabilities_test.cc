#include "operator/capabilities.h"

#include <gtest/gtest.h>

#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

constexpr const char* kNew =
    R"({"components":{"schemas":{"io.k8s.api.autoscaling.v2.HPAScalingRules":
        {"properties":{"policies":{},"tolerance":{}}}}}})";
constexpr const char* kOld =
    R"({"components":{"schemas":{"io.k8s.api.autoscaling.v2.HPAScalingRules":
        {"properties":{"policies":{}}}}}})";

TEST(Tolerance, IsInTheDocumentOrNot) {
  EXPECT_TRUE(document_has_tolerance(kNew));
  EXPECT_FALSE(document_has_tolerance(kOld));
  EXPECT_FALSE(document_has_tolerance("nonsense"));
}

TEST(Tolerance, AServerWithoutOpenApiHasNone) {
  kube::FakeClient client;
  EXPECT_EQ(hpa_has_tolerance(client), false);
  client.answer = [](const auto&) -> Result<std::string> {
    return fail(ErrorKind::Unavailable, "starting");
  };
  EXPECT_FALSE(hpa_has_tolerance(client).has_value());
}

TEST(InstalledKinds, ExistWhereTheirGroupHasThem) {
  using Kinds = std::set<ChildKind>;
  kube::FakeClient client;
  EXPECT_EQ(installed_kinds(client), Kinds{});
  std::string answer = R"({"resources":[{"name":"podmonitors"},{"name":"servicemonitors"}]})";
  client.answer = [&answer](const auto&) -> Result<std::string> { return answer; };
  EXPECT_EQ(installed_kinds(client), (Kinds{ChildKind::PodMonitor, ChildKind::ServiceMonitor}));
  answer = R"({"resources":[{"name":"podmonitors"},{"name":"probes"}]})";
  EXPECT_EQ(installed_kinds(client), Kinds{ChildKind::PodMonitor});
  answer = "nonsense";
  EXPECT_EQ(installed_kinds(client), Kinds{});
  client.answer = [](const auto&) -> Result<std::string> {
    return fail(ErrorKind::Unavailable, "starting");
  };
  EXPECT_FALSE(installed_kinds(client).has_value());
}

}  // namespace
}  // namespace mcpfleet::op
