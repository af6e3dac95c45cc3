#include "operator/server_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <nlohmann/json.hpp>

#include "fleet/decode.h"
#include "http/server.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

desired::ObservedPod pod(const char* name, const char* revision, bool ready = true) {
  desired::ObservedPod result;
  result.name = name;
  result.template_hash = revision;
  result.ip = std::string("10.0.0.") + name;
  result.ready = ready;
  return result;
}

TEST(InquiryFor, AsksAReadyPodOfARevisionThatIsNotKnown) {
  desired::ObservedPod leaving = pod("0", "old");
  leaving.deleting = true;
  const struct {
    const char* name;
    int available;
    std::vector<desired::ObservedPod> pods;
    const char* known;
    const char* want;  // the pod's address; empty: nobody
  } cases[] = {
      {"first time", 2, {pod("2", "new"), pod("1", "new")}, "", "10.0.0.1"},
      {"known", 2, {pod("1", "new")}, "new", ""},
      {"rolled out", 2, {pod("1", "new"), leaving}, "old", "10.0.0.1"},
      {"in the middle of a rollout", 2, {pod("1", "new"), pod("2", "old")}, "old", ""},
      {"the new one is not ready yet", 1, {pod("1", "new", false), pod("2", "old")}, "old", ""},
      {"not available", 0, {pod("1", "new")}, "", ""},
      {"no pod", 1, {}, "", ""},
  };
  for (const auto& test : cases) {
    fleet::MCPServer server;
    if (*test.known != '\0') server.status.server_info = fleet::ServerInfo{.revision = test.known};
    desired::Observed observed;
    observed.deployment.emplace().available_replicas = test.available;
    observed.pods = test.pods;
    const auto got = inquiry_for(server, observed);
    EXPECT_EQ(got ? got->pod.host : "", test.want) << test.name;
    if (!got) continue;
    EXPECT_EQ(got->revision, "new") << test.name;
    EXPECT_EQ(got->path, "/mcp") << test.name;
    server.workload_ref = {"Deployment", "theirs"};
    EXPECT_FALSE(inquiry_for(server, observed)) << test.name << ", of a workload of others";
  }
}

// Answers each ask by the next result; the last one again and again.
struct Asked {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Inquiry> inquiries;
  std::vector<std::string> answered;
  std::vector<Result<mcp::ServerDescription>> results;

  Result<mcp::ServerDescription> ask(const Inquiry& inquiry) {
    std::lock_guard lock(mutex);
    inquiries.push_back(inquiry);
    changed.notify_all();
    return results[std::min(inquiries.size(), results.size()) - 1];
  }
  void note(const std::string& key) {
    std::lock_guard lock(mutex);
    answered.push_back(key);
    changed.notify_all();
  }
  template <typename Condition>
  bool wait(const Condition& condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, seconds(10), condition);
  }
};

class ServerInfosTest : public testing::Test {
 protected:
  ServerInfos make() {
    return ServerInfos(
        clock_, {milliseconds(1), milliseconds(1)},
        [this](const Inquiry& inquiry) { return asked_.ask(inquiry); },
        [this](const std::string& key) { asked_.note(key); });
  }

  const SystemClock clock_;
  const Inquiry inquiry_{"r1", {"10.0.0.1", 1, false}, "/mcp"};
  Asked asked_;
};

TEST_F(ServerInfosTest, AnswersOnceItKnowsAndAsksNoMore) {
  asked_.results = {fail(ErrorKind::Timeout, "no"), fail(ErrorKind::Timeout, "no"),
                    mcp::ServerDescription{"weather", "1", {"2026-07-28"}, {"tools"}}};
  ServerInfos infos = make();
  EXPECT_FALSE(infos.get("ns/s", inquiry_));
  ASSERT_TRUE(asked_.wait([&] { return !asked_.answered.empty(); }));
  const fleet::ServerInfo want{"weather", "1", {"2026-07-28"}, {"tools"}, "r1"};
  EXPECT_EQ(infos.get("ns/s", inquiry_), want);
  EXPECT_EQ(asked_.inquiries.size(), 3U);
  EXPECT_THAT(asked_.answered, testing::ElementsAre("ns/s"));
}

TEST_F(ServerInfosTest, AnotherRevisionIsAskedAnew) {
  asked_.results = {mcp::ServerDescription{"weather", "1", {}, {}},
                    mcp::ServerDescription{"weather", "2", {}, {}}};
  ServerInfos infos = make();
  infos.get("ns/s", inquiry_);
  ASSERT_TRUE(asked_.wait([&] { return asked_.answered.size() == 1; }));
  Inquiry next = inquiry_;
  next.revision = "r2";
  EXPECT_FALSE(infos.get("ns/s", next));
  ASSERT_TRUE(asked_.wait([&] { return asked_.answered.size() == 2; }));
  EXPECT_EQ(infos.get("ns/s", next)->version, "2");
}

TEST_F(ServerInfosTest, ATryThatFailedGoesToThePodOfTheDay) {
  asked_.results = {fail(ErrorKind::Timeout, "no")};
  ServerInfos infos = make();
  infos.get("ns/s", inquiry_);
  ASSERT_TRUE(asked_.wait([&] { return !asked_.inquiries.empty(); }));
  Inquiry moved = inquiry_;
  moved.pod.host = "10.0.0.9";
  infos.get("ns/s", moved);
  EXPECT_TRUE(asked_.wait([&] { return asked_.inquiries.back().pod.host == "10.0.0.9"; }));
}

TEST_F(ServerInfosTest, NobodyAsksForAServerThatIsGone) {
  asked_.results = {fail(ErrorKind::Timeout, "no")};
  ServerInfos infos = make();
  infos.get("ns/gone", inquiry_);
  ASSERT_TRUE(asked_.wait([&] { return !asked_.inquiries.empty(); }));
  infos.get("ns/gone", std::nullopt);
  // Whatever was under way ends; then only the other one is asked for.
  Inquiry other = inquiry_;
  other.revision = "other";
  infos.get("ns/other", other);
  const auto of_other = [&] {
    return std::ranges::count(asked_.inquiries, "other", &Inquiry::revision);
  };
  ASSERT_TRUE(asked_.wait([&] { return of_other() >= 5; }));
  std::size_t of_gone = 0;
  {
    std::lock_guard lock(asked_.mutex);
    of_gone = asked_.inquiries.size() - static_cast<std::size_t>(of_other());
  }
  ASSERT_TRUE(asked_.wait([&] { return of_other() >= 50; }));
  std::lock_guard lock(asked_.mutex);
  EXPECT_EQ(asked_.inquiries.size() - static_cast<std::size_t>(of_other()), of_gone);
}

TEST(Introduce, TalksToAServerWithSessions) {
  std::mutex mutex;
  std::vector<std::string> seen;
  auto server = http::Server::start(
      {.address = "127.0.0.1"}, [&](http::Request request, const http::Respond& respond) {
        const json message = json::parse(request.body, nullptr, false);
        const std::string method =
            message.is_object() ? message["method"].get<std::string>() : request.method;
        {
          std::lock_guard lock(mutex);
          seen.push_back(request.target + " " + method + " " +
                         std::string(request.headers.get("Mcp-Session-Id").value_or("-")));
        }
        if (method != "initialize") return respond({method == "DELETE" ? 200 : 400, {}, ""});
        const json result{{"protocolVersion", "2025-11-25"},
                          {"capabilities", {{"tools", json::object()}}},
                          {"serverInfo", {{"name", "old"}, {"version", "1"}}}};
        respond({200,
                 {{"Content-Type", "application/json"}, {"mcp-session-id", "s-1"}},
                 json{{"jsonrpc", "2.0"}, {"id", 1}, {"result", result}}.dump()});
      });
  ASSERT_TRUE(server);
  auto client = http::Client::create({});
  ASSERT_TRUE(client);
  const auto got =
      introduce(**client, {"r1", {"127.0.0.1", (*server)->port(), false}, "/some/path"});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->name, "old");
  EXPECT_THAT(seen, testing::ElementsAre("/some/path server/discover -", "/some/path initialize -",
                                         "/some/path notifications/initialized s-1",
                                         "/some/path DELETE s-1"));
}

TEST(Introduce, AnAnswerWithoutEndIsAnError) {
  auto server = http::Server::start({.address = "127.0.0.1"},
                                    [](const http::Request&, const http::Respond& respond) {
                                      respond({200, {}, std::string(300UL * 1024, 'x')});
                                    });
  ASSERT_TRUE(server);
  auto client = http::Client::create({});
  const auto got = introduce(**client, {"r1", {"127.0.0.1", (*server)->port(), false}, "/mcp"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::TooLarge);
}

}  // namespace
}  // namespace mcpfleet::op
