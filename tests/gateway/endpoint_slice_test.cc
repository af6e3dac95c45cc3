#include "gateway/endpoint_slice.h"

#include <gtest/gtest.h>

namespace mcpfleet::gateway {
namespace {

std::string slice(const std::string& rest) {
  return R"({"metadata":{"namespace":"team","name":"a-x7","uid":"u","resourceVersion":"5",
            "labels":{"kubernetes.io/service-name":"a"}},)" +
         rest + "}";
}

const std::string kPorts =
    R"("ports":[{"name":"metrics","port":19090},{"name":"mcp","port":19080}])";

std::vector<routing::Endpoint> endpoints(const std::string& conditions) {
  const auto decoded = decode_endpoint_slice(
      slice(R"("addressType":"IPv4",)" + kPorts +
            R"(,"endpoints":[{"addresses":["10.0.0.7"],"zone":"z1","targetRef":{"name":"a-0"},)"
            R"("conditions":)" +
            conditions + "}]"));
  EXPECT_TRUE(decoded) << decoded.error().message;
  return decoded->endpoints;
}

TEST(EndpointSlice, KnowsWhoseItIs) {
  const auto decoded = decode_endpoint_slice(slice(R"("addressType":"IPv4")"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, (EndpointSlice{"team", "a-x7", "u", "5", "a", {}}));
}

TEST(EndpointSlice, ReadsConditionsAsKubernetesMeansThem) {
  struct Case {
    const char* conditions;
    bool ready, serving, terminating;
  };
  for (const auto& [conditions, ready, serving, terminating] : {
           Case{R"({"ready":true,"serving":true,"terminating":false})", true, true, false},
           Case{R"({"ready":false,"serving":true,"terminating":true})", false, true, true},
           Case{R"({"ready":false,"serving":false,"terminating":true})", false, false, true},
           Case{R"({"ready":false})", false, false, false},
           Case{"{}", true, true, false},
           Case{"null", true, true, false},
           // publishNotReadyAddresses makes a pod that ends ready.
           Case{R"({"ready":true,"serving":false,"terminating":true})", false, false, true},
       }) {
    const std::vector<routing::Endpoint> expected{
        {"a-0", "10.0.0.7", 19080, "z1", ready, serving, terminating}};
    EXPECT_EQ(endpoints(conditions), expected) << conditions;
  }
}

TEST(EndpointSlice, LeavesOutWhatHasNoAddressOrPort) {
  for (const auto& rest :
       {R"("addressType":"IPv4","ports":[],"endpoints":[{"addresses":["10.0.0.7"]}])",
        R"("addressType":"FQDN","ports":[{"port":1}],"endpoints":[{"addresses":["x.y"]}])",
        R"("addressType":"IPv4","ports":[{"port":1}],"endpoints":[{"addresses":[]},{},7])",
        R"("addressType":"IPv4","ports":[{"port":70000}],"endpoints":[{"addresses":["1.1.1.1"]}])",
        R"("addressType":"IPv4","ports":null,"endpoints":null)"}) {
    const auto decoded = decode_endpoint_slice(slice(rest));
    ASSERT_TRUE(decoded) << rest;
    EXPECT_TRUE(decoded->endpoints.empty()) << rest;
  }
  const auto unnamed = decode_endpoint_slice(slice(
      R"("addressType":"IPv6","ports":[{"port":8080}],"endpoints":[{"addresses":["fd::1"]}])"));
  ASSERT_EQ(unnamed->endpoints.size(), 1u);
  EXPECT_EQ(unnamed->endpoints[0].pod, "fd::1");
  EXPECT_EQ(unnamed->endpoints[0].port, 8080);
}

TEST(EndpointSlice, RefusesWhatIsNone) {
  for (const char* text : {"", "[]", "{", R"({"metadata":{"name":"x"}})"}) {
    const auto decoded = decode_endpoint_slice(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().message.find("EndpointSlice: "), 0u) << decoded.error().message;
  }
}

}  // namespace
}  // namespace mcpfleet::gateway
