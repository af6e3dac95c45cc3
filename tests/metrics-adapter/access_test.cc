// Authenticator and authorizer against a scripted Kubernetes API.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake_kube.h"
#include "http/certificate.h"
#include "metrics-adapter/authenticator.h"
#include "metrics-adapter/authorizer.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::seconds;

http::KeyPair authority(const ManualClock& clock) {
  return http::make_authority("ca", clock.wall() - hours(1), clock.wall() + hours(99)).value();
}

std::shared_ptr<const http::PeerCertificate> client_certificate(const http::KeyPair& ca,
                                                                const ManualClock& clock) {
  http::CertificateSpec spec;
  spec.common_name = "bob";
  spec.for_client = true;
  spec.not_before = clock.wall() - hours(1);
  spec.not_after = clock.wall() + hours(9);
  auto peer = std::make_shared<http::PeerCertificate>();
  peer->der =
      http::certificate_der(http::issue_certificate(ca, spec).value().certificate_pem).value();
  return peer;
}

std::string config_map(const std::string& client_ca) {
  return json{{"data", {{"client-ca-file", client_ca}}}}.dump();
}

http::Request with_token(const char* token) {
  http::Request request;
  request.headers.add("Authorization", std::string("Bearer ") + token);
  return request;
}

TEST(AuthenticationConfigTest, ReadsTheConfigMap) {
  const auto config = parse_authentication_config(R"({"data":{
    "client-ca-file":"A","requestheader-client-ca-file":"B",
    "requestheader-allowed-names":"[\"front-proxy-client\"]",
    "requestheader-username-headers":"[\"X-Remote-User\",\"X-User\"]",
    "requestheader-group-headers":"[\"X-Group\"]",
    "requestheader-extra-headers-prefix":"[\"X-Extra-\"]",
    "requestheader-uid-headers":"[]"}})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->client_ca_pem, "A");
  EXPECT_EQ(config->requestheader_ca_pem, "B");
  EXPECT_EQ(config->allowed_names, std::vector<std::string>{"front-proxy-client"});
  EXPECT_EQ(config->username_headers, (std::vector<std::string>{"X-Remote-User", "X-User"}));
  EXPECT_EQ(config->group_headers, std::vector<std::string>{"X-Group"});
  EXPECT_EQ(config->extra_prefixes, std::vector<std::string>{"X-Extra-"});
  EXPECT_TRUE(config->uid_headers.empty());
  for (const char* broken :
       {"", "[]", "{}", R"({"data":[]})", R"({"data":{"requestheader-allowed-names":"front"}})",
        R"({"data":{"requestheader-allowed-names":"[1]"}})"})
    EXPECT_FALSE(parse_authentication_config(broken)) << broken;
}

TEST(TokenReviewTest, BelievesOnlyAClearYes) {
  const auto identity = parse_token_review(R"({"status":{"authenticated":true,"user":{
    "username":"u","uid":"i","groups":["g"],"extra":{"k":["v"]}}}})");
  ASSERT_TRUE(identity);
  EXPECT_EQ(*identity, (http::Identity{"u", "i", {"g", "system:authenticated"}, {{"k", {"v"}}}}));
  for (const char* no : {"", "{}", R"({"status":{}})", R"({"status":{"authenticated":false}})",
                         R"({"status":{"authenticated":"true","user":{"username":"u"}}})",
                         R"({"status":{"authenticated":true}})",
                         R"({"status":{"authenticated":true,"user":{"username":""}}})",
                         R"({"status":{"authenticated":true,"user":{"username":3}}})"})
    EXPECT_FALSE(parse_token_review(no)) << no;
}

TEST(AuthenticatorTest, WithoutCredentialsThereIsNothingToAsk) {
  ManualClock clock;
  FakeKube kube([](const auto&) { return std::string("{}"); });
  Authenticator authenticator(kube, clock);
  const auto now = authenticator.try_now({});
  ASSERT_TRUE(now);
  EXPECT_EQ(now->error().kind, ErrorKind::Unauthorized);
  EXPECT_TRUE(kube.calls().empty());
}

TEST(AuthenticatorTest, RemembersATokenForTenSeconds) {
  ManualClock clock;
  FakeKube kube([](const FakeKube::Call& call) {
    const bool good = call.body.find("good") != std::string::npos;
    return json{{"status", {{"authenticated", good}, {"user", {{"username", "u"}}}}}}.dump();
  });
  Authenticator authenticator(kube, clock);
  EXPECT_FALSE(authenticator.try_now(with_token("good"))) << "it has to wait for the API server";
  EXPECT_EQ(authenticator.authenticate(with_token("good"))->user, "u");
  EXPECT_EQ(authenticator.authenticate(with_token("bad")).error().kind, ErrorKind::Unauthorized);
  EXPECT_EQ((*authenticator.try_now(with_token("good")))->user, "u");
  EXPECT_FALSE(authenticator.try_now(with_token("bad"))->has_value());
  clock.advance(seconds(10));
  EXPECT_FALSE(authenticator.try_now(with_token("good")));
  EXPECT_FALSE(authenticator.try_now(with_token("bad")));
}

TEST(AuthenticatorTest, AnUnreachableApiServerIsNotRemembered) {
  ManualClock clock;
  FakeKube kube([](const auto&) { return fail(ErrorKind::Unavailable, "connection refused"); });
  Authenticator authenticator(kube, clock);
  const auto identity = authenticator.authenticate(with_token("t"));
  EXPECT_EQ(identity.error().message, "cannot have the bearer token reviewed: connection refused");
  EXPECT_FALSE(authenticator.try_now(with_token("t")));
}

TEST(AuthenticatorTest, LooksForNewAuthoritiesWhenACertificateIsRefused) {
  ManualClock clock;
  const auto old_ca = authority(clock);
  const auto new_ca = authority(clock);
  std::string served = old_ca.certificate_pem;
  FakeKube kube([&served](const auto&) { return config_map(served); });
  Authenticator authenticator(kube, clock);
  EXPECT_FALSE(authenticator.ready());
  ASSERT_TRUE(authenticator.refresh());
  EXPECT_TRUE(authenticator.ready());

  http::Request request;
  request.certificate = client_certificate(new_ca, clock);
  EXPECT_FALSE(authenticator.try_now(request)) << "only another look can tell";
  EXPECT_EQ(authenticator.authenticate(request).error().kind, ErrorKind::Unauthorized);
  served = new_ca.certificate_pem;
  EXPECT_FALSE(authenticator.authenticate(request)) << "not so soon again";
  clock.advance(seconds(5));
  EXPECT_EQ(authenticator.authenticate(request)->user, "bob");
  EXPECT_EQ((*authenticator.try_now(request))->user, "bob");
}

TEST(AuthenticatorTest, WhatWasKnownStaysGoodWhenTheConfigMapIsGone) {
  ManualClock clock;
  const auto ca = authority(clock);
  bool there = true;
  FakeKube kube([&](const auto&) -> Result<std::string> {
    if (!there) return fail(ErrorKind::Forbidden, "no");
    return config_map(ca.certificate_pem);
  });
  Authenticator authenticator(kube, clock);
  ASSERT_TRUE(authenticator.refresh());
  there = false;
  EXPECT_FALSE(authenticator.refresh());
  http::Request request;
  request.certificate = client_certificate(ca, clock);
  EXPECT_EQ((*authenticator.try_now(request))->user, "bob");
}

AccessRequest pods_in(const char* namespace_) {
  AccessRequest access;
  access.group = "custom.metrics.k8s.io";
  access.version = "v1beta2";
  access.namespace_ = namespace_;
  access.resource = "pods";
  access.subresource = "m";
  access.name = "*";
  return access;
}

TEST(AuthorizerTest, RemembersYesAndNoForTenSeconds) {
  ManualClock clock;
  FakeKube kube([](const FakeKube::Call& call) {
    const bool allowed = call.body.find("\"open\"") != std::string::npos;
    return json{{"status", {{"allowed", allowed}, {"reason", allowed ? "" : "RBAC says no"}}}}
        .dump();
  });
  Authorizer authorizer(kube, clock);
  const http::Identity user{"u", "", {}, {}};
  EXPECT_FALSE(authorizer.try_now(user, pods_in("open")));
  EXPECT_TRUE(authorizer.authorize(user, pods_in("open")));
  const auto denied = authorizer.authorize(user, pods_in("closed"));
  EXPECT_EQ(denied.error(), (Error{ErrorKind::Forbidden,
                                   "forbidden: User \"u\" cannot get resource \"pods/m\" in API "
                                   "group \"custom.metrics.k8s.io\" in the namespace \"closed\": "
                                   "RBAC says no"}));
  EXPECT_TRUE(authorizer.try_now(user, pods_in("open"))->has_value());
  EXPECT_FALSE(authorizer.try_now(user, pods_in("closed"))->has_value());
  EXPECT_EQ(kube.calls().size(), 2u);
  const http::Identity other{"u", "", {"g"}, {}};
  EXPECT_FALSE(authorizer.try_now(other, pods_in("open"))) << "another group, another decision";
  clock.advance(seconds(10));
  EXPECT_FALSE(authorizer.try_now(user, pods_in("open")));
  EXPECT_FALSE(authorizer.try_now(user, pods_in("closed")));
}

TEST(AuthorizerTest, MastersNeedNoReview) {
  ManualClock clock;
  FakeKube kube([](const auto&) { return fail(ErrorKind::Unavailable, "down"); });
  Authorizer authorizer(kube, clock);
  EXPECT_TRUE(authorizer.try_now({"a", "", {"system:masters"}, {}}, pods_in("x"))->has_value());
  EXPECT_TRUE(kube.calls().empty());
}

TEST(AuthorizerTest, WhatIsNoAnswerIsNoYes) {
  ManualClock clock;
  std::string answer;
  FakeKube kube([&answer](const auto&) -> Result<std::string> {
    if (answer.empty()) return fail(ErrorKind::Timeout, "no answer");
    return answer;
  });
  Authorizer authorizer(kube, clock);
  const http::Identity user{"u", "", {}, {}};
  for (const char* bad : {"", "{}", "nonsense", R"({"status":{"allowed":"true"}})"}) {
    answer = bad;
    EXPECT_FALSE(authorizer.authorize(user, pods_in("x"))) << bad;
    EXPECT_FALSE(authorizer.try_now(user, pods_in("x"))) << "not remembered: " << bad;
  }
}

}  // namespace
}  // namespace mcpfleet::adapter
