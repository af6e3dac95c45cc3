#include "proxy/caller.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace mcpfleet::proxy {
namespace {

std::string bearer(const std::string& claims, const std::string& signature = "sig") {
  return "Bearer " + to_base64url(R"({"alg":"none"})") + "." + to_base64url(claims) + "." +
         signature;
}

std::string identity(const std::string& authorization) {
  return identify(authorization, "10.0.0.1").identity;
}

TEST(Caller, WhoShowsNothingIsNobodyAndCountsByAddress) {
  const auto one = identify(std::nullopt, "10.0.0.1");
  EXPECT_EQ(one.identity, "");
  EXPECT_EQ(one.id, identify("", "10.0.0.1").id);
  EXPECT_NE(one.id, identify(std::nullopt, "10.0.0.2").id);
}

TEST(Caller, ARenewedTokenIsTheSameCaller) {
  const auto first = bearer(R"({"iss":"i","sub":"alice","exp":1})");
  EXPECT_EQ(identity(first), identity(bearer(R"({"iss":"i","sub":"alice","exp":2})", "other")));
  EXPECT_NE(identity(first), identity(bearer(R"({"iss":"j","sub":"alice","exp":1})")));
  EXPECT_NE(identity(first), identity(bearer(R"({"iss":"i","sub":"bob","exp":1})")));
  EXPECT_EQ(identify(first, "10.0.0.1").id, identify(first, "10.0.0.2").id);
}

TEST(Caller, AnyOtherCredentialStandsForItself) {
  for (const auto& text :
       {std::string("Bearer opaque"), std::string("Basic YTpi"), std::string("Bearer a.b.c"),
        bearer("[1]"), bearer(R"({"sub":7})"), bearer("{"), std::string("Bearer .."),
        "Bearer a." + std::string(20'000, 'A') + ".c"}) {
    EXPECT_EQ(identity(text), identity(text)) << text.substr(0, 40);
    EXPECT_NE(identity(text), identity(text + "x")) << text.substr(0, 40);
    EXPECT_EQ(identity(text).size(), 32u);
  }
}

}  // namespace
}  // namespace mcpfleet::proxy
