// The API client against an HTTP server that answers as a test wants.
#include "kube/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "http/server.h"

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class ClientTest : public testing::Test {
 protected:
  // What waits for an answer must not outlive the server.
  void TearDown() override {
    {
      std::lock_guard lock(mutex_);
      waiting_.clear();
    }
    server_.reset();
  }

  // Answers with the statuses one after the other, then with the last of them for ever. 0: never.
  void serve(std::vector<int> statuses, http::Headers headers = {}) {
    {
      std::lock_guard lock(mutex_);
      requests_.clear();
    }
    auto server = http::Server::start(
        {.address = "127.0.0.1"}, [this, statuses = std::move(statuses), headers](
                                      http::Request request, const http::Respond& respond) {
          std::lock_guard lock(mutex_);
          const auto at = std::min(requests_.size(), statuses.size() - 1);
          requests_.push_back(std::move(request));
          if (statuses[at] == 0) return waiting_.push_back(respond);
          auto response = http::text_response(statuses[at], R"({"kind":"Thing"})");
          for (const auto& [name, value] : headers.fields()) response.headers.set(name, value);
          respond(response);
        });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  std::unique_ptr<Client> connect(ClientOptions options = {}) const {
    Config config;
    config.server = {{"127.0.0.1", server_->port(), false}, ""};
    config.token = "t";
    options.user_agent = "tester";
    return std::move(Client::create(config, std::move(options)).value());
  }

  std::vector<http::Request> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::vector<http::Request> requests_;
  std::vector<http::Respond> waiting_;
  std::unique_ptr<http::Server> server_;
};

// Allows as long as it is told to.
struct Guard final : WriteGuard {
  Result<milliseconds> may_write() override {
    ++asked;
    return allowed;
  }
  Result<milliseconds> allowed = milliseconds(60'000);
  int asked = 0;
};

TEST_F(ClientTest, AnApplyTellsWhetherItMadeTheObject) {
  serve({201, 200});
  const auto client = connect();
  for (const bool created : {true, false}) {
    const auto applied = client->apply("/api/v1/things/a?dryRun=All", "{}", "me", created);
    ASSERT_TRUE(applied) << applied.error().message;
    EXPECT_EQ(applied->created, created);
    EXPECT_EQ(applied->object, R"({"kind":"Thing"})");
  }
  EXPECT_EQ(requests()[0].target, "/api/v1/things/a?dryRun=All&fieldManager=me&force=true");
  EXPECT_EQ(requests()[1].target, "/api/v1/things/a?dryRun=All&fieldManager=me");
}

TEST_F(ClientTest, SaysWhoItIsAndWantsPlainJson) {
  serve({200});
  ASSERT_TRUE(connect()->get("/api/v1/things"));
  const auto request = requests().at(0);
  EXPECT_EQ(request.headers.get("Authorization"), "Bearer t");
  EXPECT_EQ(request.headers.get("User-Agent"), "tester");
  EXPECT_EQ(request.headers.get("Accept"), "application/json");
  EXPECT_EQ(request.headers.get("Accept-Encoding"), std::nullopt);
}

TEST_F(ClientTest, TriesAgainWhatWasNotCarriedOut) {
  for (const int status : {429, 401}) {
    serve({status, 200});
    EXPECT_TRUE(connect()->create_object("/api/v1/things", "{}")) << status;
    EXPECT_EQ(requests().size(), 2U);
  }
}

TEST_F(ClientTest, AWriteThatFailedIsNotSentTwice) {
  serve({500});
  const auto applied = connect()->apply("/api/v1/things/a", "{}", "me", true);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::Unavailable);
  EXPECT_THAT(applied.error().message, HasSubstr("apply /api/v1/things/a: "));
  EXPECT_EQ(requests().size(), 1U);
}

TEST_F(ClientTest, ACallEndsWithItsTimeout) {
  serve({0});
  const auto got = connect({.timeout = milliseconds(50)})->get("/api/v1/things");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Timeout);
}

TEST_F(ClientTest, NoTryBeginsAfterTheTimeout) {
  serve({429}, {{"Retry-After", "2"}});
  const auto got = connect({.timeout = seconds(1)})->get("/api/v1/things");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::TooMany);
  EXPECT_EQ(requests().size(), 1U);
}

TEST_F(ClientTest, WhatTheGuardForbidsIsNotSent) {
  serve({200});
  Guard guard;
  guard.allowed = fail(ErrorKind::Forbidden, "another replica leads");
  const auto client = connect({.write_guard = &guard});
  for (const auto& refused :
       {client->create_object("/things", "{}"), client->merge_patch("/things/a", "{}", "me")}) {
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("another replica leads"));
  }
  EXPECT_FALSE(client->apply("/things/a", "{}", "me", true));
  EXPECT_FALSE(client->remove("/things/a", ""));
  EXPECT_EQ(guard.asked, 4);
  EXPECT_TRUE(client->get("/things"));
  EXPECT_EQ(guard.asked, 4);
  EXPECT_EQ(requests().size(), 1U);
}

TEST_F(ClientTest, TheGuardsTimeIsTheWritesTime) {
  serve({0});
  Guard guard;
  guard.allowed = milliseconds(50);
  const auto created = connect({.write_guard = &guard})->create_object("/things", "{}");
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::Timeout);
}

TEST_F(ClientTest, TheGuardIsAskedBeforeEachTry) {
  serve({429, 200});
  Guard guard;
  EXPECT_TRUE(connect({.write_guard = &guard})->create_object("/things", "{}"));
  EXPECT_EQ(guard.asked, 2);
}

TEST_F(ClientTest, MoreThanTheRateLimitIsNotSent) {
  serve({200});
  const auto client = connect({.timeout = milliseconds(500), .qps = 0.001, .burst = 2});
  EXPECT_TRUE(client->get("/things"));
  EXPECT_TRUE(client->get("/things"));
  const auto got = client->get("/things");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::TooMany);
  EXPECT_THAT(got.error().message, HasSubstr("client-side rate limit"));
  EXPECT_EQ(requests().size(), 2U);
}

}  // namespace
}  // namespace mcpfleet::kube
