#include "http/certificate.h"

#include <gtest/gtest.h>

namespace mcpfleet::http {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const WallTime kNow{seconds(1'767'225'600)};

CertificateSpec server_spec() {
  CertificateSpec spec;
  spec.common_name = "adapter.ns.svc";
  spec.dns_names = {"adapter.ns.svc", "adapter.ns.svc.cluster.local"};
  spec.ip_addresses = {"127.0.0.1"};
  spec.not_before = kNow - hours(1);
  spec.not_after = kNow + hours(24 * 365);
  return spec;
}

KeyPair authority() {
  return make_authority("an authority", kNow - hours(1), kNow + hours(24 * 366)).value();
}

TEST(CertificateTest, SaysWhatWasAskedFor) {
  const auto issued = issue_certificate(authority(), server_spec());
  ASSERT_TRUE(issued) << issued.error().message;
  const auto info = read_certificate(issued->certificate_pem);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->common_name, "adapter.ns.svc");
  EXPECT_EQ(info->dns_names, server_spec().dns_names);
  EXPECT_EQ(info->not_after, kNow + hours(24 * 365));
  EXPECT_EQ(info->not_before, kNow - hours(1));
}

TEST(CertificateTest, ChecksKeyAuthorityAndTime) {
  const auto ca = authority();
  const auto other_ca = authority();
  const auto issued = issue_certificate(ca, server_spec()).value();
  const auto second = issue_certificate(ca, server_spec()).value();
  auto client_spec = server_spec();
  client_spec.for_client = true;
  const auto client = issue_certificate(ca, client_spec).value();
  const struct {
    const char* name;
    KeyPair pair;
    std::string authorities;
    WallTime now;
    const char* want;  // null: good
  } cases[] = {
      {"good", issued, ca.certificate_pem, kNow, nullptr},
      {"one of two authorities", issued, other_ca.certificate_pem + ca.certificate_pem, kNow,
       nullptr},
      {"another authority", issued, other_ca.certificate_pem, kNow, "not accepted"},
      {"another key",
       {issued.certificate_pem, second.key_pem},
       ca.certificate_pem,
       kNow,
       "the key does not belong"},
      {"expired", issued, ca.certificate_pem, kNow + hours(24 * 365 + 1), "expired"},
      {"not yet", issued, ca.certificate_pem, kNow - hours(2), "not yet valid"},
      {"not for servers", client, ca.certificate_pem, kNow, "purpose"},
      {"garbage", {"x", "y"}, ca.certificate_pem, kNow, "no PEM certificate"},
      {"no key", {issued.certificate_pem, ""}, ca.certificate_pem, kNow, "no PEM private key"},
      {"no authority", issued, "", kNow, "no PEM certificate"},
  };
  for (const auto& test : cases) {
    const auto checked = check_key_pair(test.pair, test.authorities, test.now);
    if (test.want == nullptr) {
      EXPECT_TRUE(checked) << test.name << ": " << checked.error().message;
      continue;
    }
    ASSERT_FALSE(checked) << test.name;
    EXPECT_EQ(checked.error().kind, ErrorKind::Invalid) << test.name;
    EXPECT_NE(checked.error().message.find(test.want), std::string::npos)
        << checked.error().message;
  }
}

TEST(CertificateTest, RefusesNamesThatWouldBecomeOthers) {
  auto spec = server_spec();
  spec.dns_names = {"a,DNS:evil"};
  EXPECT_FALSE(issue_certificate(authority(), spec));
  spec.dns_names = {""};
  EXPECT_FALSE(issue_certificate(authority(), spec));
  spec.dns_names = {};
  spec.ip_addresses = {"not-an-address"};
  EXPECT_FALSE(issue_certificate(authority(), spec));
}

}  // namespace
}  // namespace mcpfleet::http
