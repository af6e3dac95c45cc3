// The whole of the TLS port, with a made-up gatekeeper, over real connections.
#include "metrics-adapter/api_handler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>

#include "fixture.h"
#include "http/certificate.h"
#include "http/client.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;
using std::chrono::hours;

constexpr const char* kValues =
    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/*/mcp_active_sessions";

// Knows "alice", who may, and "bob", who may not, by a bearer token; each must be asked for once.
class Gate {
 public:
  Gatekeeper keeper() {
    return {[this](const http::Request& request) -> std::optional<Result<http::Identity>> {
              if (http::bearer_token(request) && !asked_) return std::nullopt;
              return identify(request);
            },
            [this](const http::Request& request) {
              asked_ = true;
              return identify(request);
            },
            [this](const http::Identity& who, const AccessRequest&) -> std::optional<Result<void>> {
              if (!asked_) return std::nullopt;
              return authorize(who);
            },
            [this](const http::Identity& who, const AccessRequest& access) {
              std::lock_guard lock(mutex_);
              verb_ = access.verb;
              return authorize(who);
            }};
  }
  // Of the last access that was asked for with time to wait.
  std::string verb() const {
    std::lock_guard lock(mutex_);
    return verb_;
  }

 private:
  static Result<http::Identity> identify(const http::Request& request) {
    const std::string token(http::bearer_token(request).value_or(""));
    if (token != "alice" && token != "bob") return fail(ErrorKind::Unauthorized, "unknown");
    return http::Identity{token, "", {}, {}};
  }
  static Result<void> authorize(const http::Identity& who) {
    if (who.user == "alice") return {};
    return fail(ErrorKind::Forbidden, who.user + " may not");
  }
  std::atomic<bool> asked_{false};
  mutable std::mutex mutex_;
  std::string verb_;  // protected by mutex_
};

class ApiHandlerTest : public testing::Test {
 protected:
  ApiHandlerTest() {
    fleet_.pod("ns", "p", "x");
    fleet_.scraped("ns", "p", 10);
    const SystemClock clock;
    const auto ca =
        http::make_authority("ca", clock.wall() - hours(1), clock.wall() + hours(1)).value();
    http::CertificateSpec spec;
    spec.common_name = "adapter";
    spec.dns_names = {"adapter.ns.svc"};
    spec.not_before = clock.wall() - hours(1);
    spec.not_after = clock.wall() + hours(1);
    const auto pair = http::issue_certificate(ca, spec).value();
    http::ServerOptions server;
    server.address = "127.0.0.1";
    server.tls = std::make_shared<const http::TlsIdentity>(
        http::TlsIdentity{pair.certificate_pem, pair.key_pem});
    server.request_client_certificate = true;
    server_ = http::Server::start(server, [this](http::Request request, http::Respond respond) {
                handler_.handle(std::move(request), std::move(respond));
              }).value();
    http::ClientOptions client;
    client.tls.ca_pem = ca.certificate_pem;
    client.tls.server_name = "adapter.ns.svc";
    client_ = http::Client::create(client).value();
  }
  ~ApiHandlerTest() override { server_->stop(); }

  http::Response get(const char* path, const char* token = nullptr, const char* method = "GET") {
    http::Request request;
    request.method = method;
    request.target = path;
    if (token != nullptr) request.headers.add("Authorization", std::string("Bearer ") + token);
    auto response = client_->call({"127.0.0.1", server_->port(), true}, std::move(request), {});
    EXPECT_TRUE(response) << response.error().message;
    return response.value_or(http::Response{});
  }

  MadeUpFleet fleet_;
  Demand demand_;
  MetricSource source_{fleet_.roster, demand_, {}};
  OwnMetrics metrics_;
  WorkerPool pool_{2, 16};
  Gate gate_;
  std::atomic<bool> ready_{true};
  HistoryMetrics history_metrics_{metrics_.registry()};
  HistoryBook book_{{}, history_metrics_};
  HistoryApi history_{book_};
  ApiHandler handler_{gate_.keeper(), {source_}, {{"x", [this] { return ready_.load(); }}},
                      fleet_.clock,   pool_,     metrics_,
                      &history_};
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(ApiHandlerTest, OnlyTheAuthorisedGetAnswers) {
  EXPECT_EQ(get(kValues).status, 401);
  EXPECT_EQ(get(kValues, "mallory").status, 401);
  EXPECT_EQ(get(kValues, "bob").status, 403);
  EXPECT_EQ(json::parse(get(kValues, "bob").body)["message"], "bob may not");
  const auto answer = get(kValues, "alice");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body)["items"][0]["value"], "5");
}

TEST_F(ApiHandlerTest, TheFirstQuestionWaitsElsewhere) {
  EXPECT_EQ(get(kValues, "alice").status, 200);
  EXPECT_EQ(get(kValues, "alice").status, 200);
}

TEST_F(ApiHandlerTest, ProbesNeedNobodyMetricsDo) {
  EXPECT_EQ(get("/healthz").body, "ok");
  EXPECT_EQ(get("/readyz").status, 200);
  ready_ = false;
  EXPECT_EQ(get("/readyz").status, 500);
  EXPECT_EQ(get("/metrics").status, 401);
  EXPECT_NE(get("/metrics", "alice").body.find("mcpfleet_adapter_requests_total{code=\"401\"} 1"),
            std::string::npos);
}

TEST_F(ApiHandlerTest, EverythingElseIsAClearError) {
  EXPECT_EQ(get("/apis", "alice").status, 200);
  EXPECT_EQ(get("/nothing", "alice").status, 404);
  EXPECT_EQ(get("/", "alice").status, 404);
  EXPECT_EQ(get("/apis/other.io/v1/namespaces/ns/pods/*/m", "alice").status, 404);
  EXPECT_EQ(get("/apis/custom.metrics.k8s.io/v1beta2/x", "alice").status, 400);
  EXPECT_EQ(get("/a%zz", "alice").status, 400);
  EXPECT_EQ(get(kValues, "alice", "DELETE").status, 405);
}

TEST_F(ApiHandlerTest, ThePastIsReadAndForgottenByThoseWhoMay) {
  constexpr const char* kPast =
      "/apis/metrics.mcpfleet.dev/v1beta2/history/namespaces/ns/pods/p/mcp_active_sessions";
  metrics::Reading reading{};
  reading[static_cast<std::size_t>(metrics::Metric::ActiveSessions)] = 5;
  book_.record({"pods", "ns", "p", "", ""}, fleet_.clock.wall(), reading);
  EXPECT_EQ(get(kPast).status, 401);
  EXPECT_EQ(get(kPast, "bob").status, 403);
  EXPECT_EQ(get(kPast, "alice").status, 200);
  EXPECT_EQ(gate_.verb(), "get");
  EXPECT_EQ(get(kPast, "bob", "DELETE").status, 403);
  EXPECT_EQ(get(kPast, "alice", "DELETE").status, 200);
  EXPECT_EQ(gate_.verb(), "delete");
  EXPECT_TRUE(json::parse(get(kPast, "alice").body)["series"][0]["samples"].empty());
  EXPECT_EQ(get(kPast, "alice", "POST").status, 405);
  EXPECT_EQ(get("/apis/metrics.mcpfleet.dev/v1beta2/top/namespaces/ns/pods/mcp_active_sessions",
                "alice", "DELETE")
                .status,
            405);
}

TEST_F(ApiHandlerTest, WithoutHistoriesThePastIsNotThere) {
  ApiHandler without{gate_.keeper(), {source_}, {}, fleet_.clock, pool_, metrics_};
  http::Request request;
  request.method = "GET";
  request.target =
      "/apis/metrics.mcpfleet.dev/v1beta2/history/namespaces/ns/pods/p/mcp_error_ratio";
  request.headers.add("Authorization", "Bearer alice");
  std::promise<http::Response> answer;
  without.handle(std::move(request),
                 [&answer](http::Response response) { answer.set_value(std::move(response)); });
  const auto response = answer.get_future().get();
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(json::parse(response.body)["message"], "no histories are kept (--history=false)");
}

}  // namespace
}  // namespace mcpfleet::adapter
