#include "http/authentication.h"

#include <gtest/gtest.h>

#include "http/certificate.h"

namespace mcpfleet::http {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const WallTime kNow{seconds(1'767'225'600)};

KeyPair authority(const char* name) {
  return make_authority(name, kNow - hours(1), kNow + hours(1000)).value();
}

std::shared_ptr<const PeerCertificate> shown(const KeyPair& ca, std::string name,
                                             std::vector<std::string> organizations = {},
                                             bool for_client = true) {
  CertificateSpec spec;
  spec.common_name = std::move(name);
  spec.organizations = std::move(organizations);
  spec.for_client = for_client;
  spec.not_before = kNow - hours(1);
  spec.not_after = kNow + hours(10);
  auto peer = std::make_shared<PeerCertificate>();
  peer->der = certificate_der(issue_certificate(ca, spec).value().certificate_pem).value();
  return peer;
}

class AuthenticationTest : public testing::Test {
 protected:
  AuthenticationTest() {
    AuthenticationConfig config;
    config.client_ca_pem = client_ca_.certificate_pem;
    config.requestheader_ca_pem = proxy_ca_.certificate_pem;
    config.allowed_names = {"front-proxy-client"};
    authenticator_ = CertificateAuthenticator::create(config).value();
  }

  Request request(std::shared_ptr<const PeerCertificate> certificate) {
    Request request;
    request.certificate = std::move(certificate);
    request.headers.add("X-Remote-User", "alice");
    request.headers.add("X-Remote-Group", "dev");
    request.headers.add("x-remote-group", "ops");
    request.headers.add("X-Remote-Extra-Example.com%2fScope", "one");
    request.headers.add("X-Remote-Extra-Example.com%2fscope", "two");
    return request;
  }

  const KeyPair client_ca_ = authority("clients");
  const KeyPair proxy_ca_ = authority("proxies");
  const KeyPair other_ca_ = authority("others");
  std::unique_ptr<CertificateAuthenticator> authenticator_;
};

TEST_F(AuthenticationTest, TheFrontProxySpeaksForOthers) {
  const auto peer = shown(proxy_ca_, "front-proxy-client");
  for (int i = 0; i < 2; ++i) {  // judged, then remembered
    const auto identity = authenticator_->authenticate(request(peer), kNow);
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->user, "alice");
    EXPECT_EQ(identity->groups, (std::vector<std::string>{"dev", "ops", "system:authenticated"}));
    EXPECT_EQ(
        identity->extra,
        (std::map<std::string, std::vector<std::string>>{{"example.com/scope", {"one", "two"}}}));
  }
}

TEST_F(AuthenticationTest, AUserSpeaksOnlyForItself) {
  const auto identity =
      authenticator_->authenticate(request(shown(client_ca_, "bob", {"team-a", "team-b"})), kNow);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->user, "bob");
  EXPECT_EQ(identity->groups,
            (std::vector<std::string>{"team-a", "team-b", "system:authenticated"}));
  EXPECT_TRUE(identity->extra.empty());
}

TEST_F(AuthenticationTest, EverybodyElseIsRefused) {
  Request without_user;
  without_user.certificate = shown(proxy_ca_, "front-proxy-client");
  const struct {
    const char* name;
    Request request;
    WallTime now;
    const char* want;
  } cases[] = {
      {"no certificate", request(nullptr), kNow, "no client certificate was shown"},
      {"a name that is not allowed", request(shown(proxy_ca_, "somebody")), kNow,
       "the certificate is not accepted"},
      {"the right name, another authority", request(shown(other_ca_, "front-proxy-client")), kNow,
       "the certificate is not accepted"},
      {"a server's certificate", request(shown(client_ca_, "bob", {}, false)), kNow, "purpose"},
      {"expired", request(shown(client_ca_, "bob")), kNow + hours(11), "expired"},
      {"garbage", request(std::make_shared<PeerCertificate>(PeerCertificate{"xyz", {}})), kNow,
       "cannot be read"},
      {"a proxy that names nobody", without_user, kNow, "the front proxy names no user"},
  };
  for (const auto& test : cases) {
    const auto identity = authenticator_->authenticate(test.request, test.now);
    ASSERT_FALSE(identity) << test.name;
    EXPECT_EQ(identity.error().kind, ErrorKind::Unauthorized) << test.name;
    EXPECT_NE(identity.error().message.find(test.want), std::string::npos)
        << test.name << ": " << identity.error().message;
  }
}

TEST_F(AuthenticationTest, AVerdictEndsWithTheCertificate) {
  const auto peer = shown(client_ca_, "bob");
  EXPECT_TRUE(authenticator_->authenticate(request(peer), kNow));
  EXPECT_TRUE(authenticator_->authenticate(request(peer), kNow + hours(9)));
  EXPECT_FALSE(authenticator_->authenticate(request(peer), kNow + hours(10) + seconds(1)));
}

TEST_F(AuthenticationTest, AnEmptyListAllowsAnyName) {
  AuthenticationConfig config;
  config.requestheader_ca_pem = proxy_ca_.certificate_pem;
  const auto open = CertificateAuthenticator::create(config).value();
  EXPECT_EQ(open->authenticate(request(shown(proxy_ca_, "any")), kNow)->user, "alice");
  EXPECT_FALSE(open->authenticate(request(shown(client_ca_, "bob")), kNow));
}

TEST_F(AuthenticationTest, NamesTheAuthorityThatCannotBeRead) {
  AuthenticationConfig config;
  config.client_ca_pem = "garbage";
  EXPECT_EQ(CertificateAuthenticator::create(config).error().message,
            "client-ca-file: the text has no PEM certificate: no start line");
  config = {};
  config.requestheader_ca_pem = "garbage";
  EXPECT_EQ(CertificateAuthenticator::create(config).error().message.substr(0, 29),
            "requestheader-client-ca-file:");
}

TEST(BearerTokenTest, ReadsTheHeader) {
  const struct {
    const char* header;
    std::optional<std::string_view> want;
  } cases[] = {
      {"Bearer abc", "abc"},    {"bearer  abc", "abc"},      {"Basic abc", std::nullopt},
      {"Bearer", std::nullopt}, {"Bearer   ", std::nullopt}, {"", std::nullopt},
  };
  for (const auto& test : cases) {
    Request request;
    request.headers.add("authorization", test.header);
    EXPECT_EQ(bearer_token(request), test.want) << test.header;
  }
  EXPECT_FALSE(bearer_token(Request{}));
}

}  // namespace
}  // namespace mcpfleet::http
