// TLS between our server and client: who is trusted, which certificates are seen, and reloading.
#include <gtest/gtest.h>

#include "http/certificate.h"
#include "http/client.h"
#include "http/server.h"

namespace mcpfleet::http {
namespace {

using namespace std::chrono_literals;

struct Authority {
  Authority()
      : start(SystemClock().wall() - 1h),
        end(start + 48h),
        pair(make_authority("ca", start, end).value()) {}

  KeyPair issue(const std::string& name, std::vector<std::string> addresses,
                bool client = false) const {
    return issue_certificate(pair, {.common_name = name,
                                    .ip_addresses = std::move(addresses),
                                    .for_client = client,
                                    .not_before = start,
                                    .not_after = end})
        .value();
  }

  WallTime start;
  WallTime end;
  KeyPair pair;
};

std::shared_ptr<const TlsIdentity> identity(const KeyPair& pair) {
  return std::make_shared<TlsIdentity>(TlsIdentity{pair.certificate_pem, pair.key_pem});
}

// Answers with the subject of the client's certificate, as far as it showed one.
void who_is_it(Request request, Respond respond) {
  respond(text_response(200, request.certificate ? "shown" : "none"));
}

std::unique_ptr<Server> serve(const KeyPair& pair) {
  return Server::start(
             {.address = "127.0.0.1", .tls = identity(pair), .request_client_certificate = true},
             who_is_it)
      .value();
}

Result<Response> call(Server& server, TlsClientOptions tls) {
  auto client = Client::create({.tls = std::move(tls)}).value();
  return client->call({"127.0.0.1", server.port(), true}, {}, {.timeout = 5s});
}

TEST(TlsTest, TrustsOnlyItsAuthorityAndTheRightName) {
  const Authority ours;
  const Authority other;
  auto right = serve(ours.issue("server", {"127.0.0.1"}));
  auto wrong_name = serve(ours.issue("server", {"127.0.0.2"}));

  auto got = call(*right, {.ca_pem = ours.pair.certificate_pem});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "none");
  EXPECT_FALSE(call(*right, {.ca_pem = other.pair.certificate_pem}));
  EXPECT_FALSE(call(*right, {}));
  EXPECT_FALSE(call(*wrong_name, {.ca_pem = ours.pair.certificate_pem}));
  EXPECT_TRUE(call(*wrong_name, {.insecure_skip_verify = true}));
}

TEST(TlsTest, ShowsTheClientsCertificateUnverified) {
  const Authority ours;
  const Authority stranger;
  auto server = serve(ours.issue("server", {"127.0.0.1"}));
  const auto pair = stranger.issue("someone", {}, true);
  auto got = call(*server, {.ca_pem = ours.pair.certificate_pem,
                            .client_certificate_pem = pair.certificate_pem,
                            .client_key_pem = pair.key_pem});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, "shown");
}

TEST(TlsTest, AReloadedCertificateIsShownToNewConnections) {
  const Authority before;
  const Authority after;
  auto server = serve(before.issue("server", {"127.0.0.1"}));
  ASSERT_TRUE(call(*server, {.ca_pem = before.pair.certificate_pem}));
  ASSERT_TRUE(server->reload(identity(after.issue("server", {"127.0.0.1"}))));
  EXPECT_FALSE(call(*server, {.ca_pem = before.pair.certificate_pem}));
  EXPECT_TRUE(call(*server, {.ca_pem = after.pair.certificate_pem}));
  EXPECT_FALSE(server->reload(identity({"not a certificate", "nor a key"})));
  EXPECT_TRUE(call(*server, {.ca_pem = after.pair.certificate_pem})) << "the last good one goes on";
}

TEST(TlsTest, KeyAndCertificateMustBelongTogether) {
  const Authority ours;
  const auto one = ours.issue("one", {});
  const auto two = ours.issue("two", {});
  auto got = Client::create(
      {.tls = {.client_certificate_pem = one.certificate_pem, .client_key_pem = two.key_pem}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Invalid);
}

}  // namespace
}  // namespace mcpfleet::http
