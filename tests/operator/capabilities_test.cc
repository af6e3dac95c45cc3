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

TEST(ServiceMonitors, ExistWhereTheirGroupHasThem) {
  kube::FakeClient client;
  EXPECT_EQ(has_service_monitors(client), false);
  std::string answer = R"({"resources":[{"name":"podmonitors"},{"name":"servicemonitors"}]})";
  client.answer = [&answer](const auto&) -> Result<std::string> { return answer; };
  EXPECT_EQ(has_service_monitors(client), true);
  answer = R"({"resources":[{"name":"podmonitors"}]})";
  EXPECT_EQ(has_service_monitors(client), false);
  client.answer = [](const auto&) -> Result<std::string> {
    return fail(ErrorKind::Unavailable, "starting");
  };
  EXPECT_FALSE(has_service_monitors(client).has_value());
}

}  // namespace
}  // namespace mcpfleet::op
