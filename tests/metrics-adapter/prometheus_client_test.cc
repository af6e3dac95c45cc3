// What a real Prometheus does not do at will: hang, babble, fail, send too much.
#include "metrics-adapter/prometheus/prometheus_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "http/certificate.h"
#include "http/server.h"

namespace mcpfleet::adapter::promql {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class PrometheusClientTest : public testing::Test {
 protected:
  ~PrometheusClientTest() override {
    unanswered_.clear();
    if (server_) server_->stop();
    std::filesystem::remove_all(directory_);
  }

  void serve(http::Response response, std::shared_ptr<const http::TlsIdentity> tls = nullptr) {
    http::ServerOptions options;
    options.address = "127.0.0.1";
    options.tls = std::move(tls);
    server_ = http::Server::start(options, [this, response](const http::Request& request,
                                                            const http::Respond& respond) {
                std::lock_guard lock(mutex_);
                seen_.push_back(request);
                if (response.status == 0) {
                  unanswered_.push_back(respond);
                } else {
                  respond(response);
                }
              }).value();
  }
  std::string url(const char* scheme = "http", const char* path = "") const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  std::string file(const char* name, const std::string& text) const {
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  }
  Result<std::string> get(ClientOptions options, std::string query = "up",
                          std::size_t max_bytes = 100'000) {
    auto client = PrometheusClient::create(options, clock_);
    if (!client) return fail(client.error());
    return (*client)->get("/api/v1/query", {{"query", std::move(query)}, {"match[]", "a b"}},
                          max_bytes);
  }
  Error error(ClientOptions options) {
    auto answer = get(std::move(options));
    EXPECT_FALSE(answer) << answer.value_or("");
    return answer ? Error{} : answer.error();
  }

  const SystemClock clock_;
  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() /
      ("prometheus_client_test." +
       std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  std::mutex mutex_;
  std::vector<http::Request> seen_;        // protected by mutex_
  std::vector<http::Respond> unanswered_;  // protected by mutex_
  std::unique_ptr<http::Server> server_;
};

TEST_F(PrometheusClientTest, AsksByGetWithItsToken) {
  serve(http::text_response(200, "{\"a\":\"ü\"}", "text/html; charset=odd"));
  const auto answer = get({.url = url("http", "/prefix/"), .token_file = file("token", "secret\n")},
                          R"(sum(x{a="b|c+d"}))");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, "{\"a\":\"ü\"}");
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].method, "GET");
  EXPECT_EQ(seen_[0].target,
            "/prefix/api/v1/query?query=sum%28x%7Ba%3D%22b%7Cc%2Bd%22%7D%29&match%5B%5D=a%20b");
  EXPECT_EQ(seen_[0].headers.get("Authorization"), "Bearer secret");
}

TEST_F(PrometheusClientTest, RefusalsAndFailures) {
  const struct {
    int status;
    const char* body;
    ErrorKind kind;
    const char* want;
  } cases[] = {
      {400, R"({"status":"error","errorType":"bad_data","error":"parse error"})",
       ErrorKind::Internal, "it refuses the query (bad_data: parse error)"},
      {503, R"({"status":"error","errorType":"unavailable","error":"starting"})",
       ErrorKind::Unavailable, "it answered HTTP status 503 (unavailable: starting)"},
      {502, "<html>", ErrorKind::Unavailable, "it answered HTTP status 502"},
      {401, "", ErrorKind::Unavailable, "it answered HTTP status 401"},
  };
  for (const auto& test : cases) {
    serve(http::text_response(test.status, test.body));
    const auto found = error({.url = url()});
    EXPECT_EQ(found.kind, test.kind);
    EXPECT_EQ(found.message, "cannot ask Prometheus at " + url() + ": " + test.want);
    server_->stop();
  }
  auto redirect = http::text_response(302, "");
  redirect.headers.add("Location", "http://127.0.0.1:1/");
  serve(redirect);
  EXPECT_THAT(error({.url = url()}).message, HasSubstr("it answered HTTP status 302"));
}

TEST_F(PrometheusClientTest, AHangEndsInTime) {
  serve({.status = 0});
  const auto before = std::chrono::steady_clock::now();
  const auto found = error({.url = url(), .timeout = milliseconds(200)});
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5));
  EXPECT_EQ(found.kind, ErrorKind::Timeout);
  EXPECT_THAT(found.message, HasSubstr("no answer within 200ms"));
}

TEST_F(PrometheusClientTest, SizesHaveBounds) {
  serve(http::text_response(200, std::string(5'000'000, 'x')));
  const auto found = error({.url = url()});
  EXPECT_EQ(found.kind, ErrorKind::TooLarge);
  EXPECT_THAT(found.message, HasSubstr("the answer is larger than 100000 bytes"));
  const auto asked = seen_.size();
  const auto answer = get({.url = url()}, std::string(300'000, 'x'));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("the query is longer than 262144 bytes"));
  EXPECT_EQ(seen_.size(), asked);
}

TEST_F(PrometheusClientTest, NobodyThere) {
  const auto found = error({.url = "http://127.0.0.1:1", .timeout = seconds(10)});
  EXPECT_EQ(found.kind, ErrorKind::Unavailable);
  EXPECT_THAT(found.message, HasSubstr("cannot ask Prometheus at http://127.0.0.1:1: "));
}

TEST_F(PrometheusClientTest, WhatCannotBeUsedIsSaidAtOnce) {
  EXPECT_EQ(error({.url = "ftp://x"}).message, "a URL must start with http:// or https://");
  EXPECT_EQ(error({.url = "http://x/?a=b"}).message, "the URL must end with its path");
  EXPECT_THAT(error({.url = "https://x", .ca_file = "/nowhere.pem"}).message,
              HasSubstr("the CA file /nowhere.pem has no certificates to read"));
  EXPECT_THAT(error({.url = "https://x", .ca_file = file("empty.pem", "")}).message,
              HasSubstr("has no certificates to read"));
}

TEST_F(PrometheusClientTest, TrustsItsAuthorityAlone) {
  const auto now = clock_.wall();
  const auto authority = [&](const char* name) {
    return http::make_authority(name, now - hours(1), now + hours(1)).value();
  };
  const auto ca = authority("ca");
  const auto issue = [&](const char* name) {
    http::CertificateSpec spec;
    spec.common_name = name;
    spec.dns_names = {name};
    spec.not_before = now - hours(1);
    spec.not_after = now + hours(1);
    const auto pair = http::issue_certificate(ca, spec).value();
    return std::make_shared<const http::TlsIdentity>(
        http::TlsIdentity{pair.certificate_pem, pair.key_pem});
  };
  const auto ca_file = file("ca.pem", ca.certificate_pem);
  serve(http::text_response(200, "fine"), issue("localhost"));
  const auto by_name = "https://localhost:" + std::to_string(server_->port());
  const auto answer = get({.url = by_name, .ca_file = ca_file});
  EXPECT_EQ(answer.value_or(answer ? "" : answer.error().message), "fine");
  const auto other = file("other.pem", authority("other").certificate_pem);
  EXPECT_EQ(error({.url = by_name, .ca_file = other}).kind, ErrorKind::Unavailable);
  EXPECT_EQ(error({.url = by_name}).kind, ErrorKind::Unavailable) << "the system's roots";
  EXPECT_EQ(error({.url = url("https"), .ca_file = ca_file}).kind, ErrorKind::Unavailable)
      << "another name than the certificate's";
}

}  // namespace
}  // namespace mcpfleet::adapter::promql
