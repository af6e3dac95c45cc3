#include "kube/events.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tests/kube/fake_client.h"

namespace mcpfleet::kube {
namespace {

using nlohmann::json;

// Keeps Events by path, as the API server does.
class EventsTest : public testing::Test {
 protected:
  EventsTest() {
    client_.answer = [this](const FakeClient::Call& call) -> Result<std::string> {
      std::lock_guard lock(mutex_);
      auto result = serve(call);
      ++served_;
      changed_.notify_all();
      return result;
    };
  }

  Result<std::string> serve(const FakeClient::Call& call) {
    if (call.verb == "create") {
      const auto event = json::parse(call.body);
      const auto path = call.path + "/" + event["metadata"]["name"].get<std::string>();
      if (!events_.emplace(path, event).second) return fail(ErrorKind::AlreadyExists, "there");
      return call.body;
    }
    const auto found = events_.find(call.path);
    if (found == events_.end()) return fail(ErrorKind::NotFound, "gone");
    if (call.verb == "patch") found->second.merge_patch(json::parse(call.body));
    return found->second.dump();
  }

  void wait_served(int count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return served_ >= count; }));
  }

  void say(EventRecorder& recorder, const char* message) const {
    recorder.record({"g/v1", "Thing", "ns", "name", "uid-1"}, EventType::Warning, "Because",
                    message);
  }

  ManualClock clock_;
  FakeClient client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, json> events_;
  int served_ = 0;
};

TEST_F(EventsTest, IsWhatKubectlShows) {
  const auto recorder = start_event_recorder(client_, clock_, "tester");
  say(*recorder, "it broke");
  wait_served(1);
  std::lock_guard lock(mutex_);
  ASSERT_EQ(events_.size(), 1U);
  const auto& event = events_.begin()->second;
  EXPECT_TRUE(events_.begin()->first.starts_with("/api/v1/namespaces/ns/events/name."));
  EXPECT_EQ(event["involvedObject"]["uid"], "uid-1");
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], "Because");
  EXPECT_EQ(event["message"], "it broke");
  EXPECT_EQ(event["source"]["component"], "tester");
  EXPECT_EQ(event["count"], 1);
}

TEST_F(EventsTest, TheSameAgainIsCountedAlsoByTheNextProcess) {
  {
    const auto recorder = start_event_recorder(client_, clock_, "tester");
    say(*recorder, "it broke");
    wait_served(1);
    clock_.advance(std::chrono::seconds(11));
    say(*recorder, "it broke");
    wait_served(2);
  }
  const auto recorder = start_event_recorder(client_, clock_, "tester");
  say(*recorder, "it broke");
  wait_served(5);  // create refused, get, patch
  std::lock_guard lock(mutex_);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_.begin()->second["count"], 3);
}

TEST_F(EventsTest, ABurstIsCountedNotWritten) {
  const auto recorder = start_event_recorder(client_, clock_, "tester");
  for (int i = 0; i < 5; ++i) say(*recorder, "it broke");
  say(*recorder, "something else");
  wait_served(2);
  std::lock_guard lock(mutex_);
  EXPECT_EQ(events_.size(), 2U);
  EXPECT_EQ(served_, 2);
}

TEST_F(EventsTest, AnExpiredEventIsMadeAgain) {
  const auto recorder = start_event_recorder(client_, clock_, "tester");
  say(*recorder, "it broke");
  wait_served(1);
  {
    std::lock_guard lock(mutex_);
    events_.clear();
  }
  clock_.advance(std::chrono::hours(2));
  say(*recorder, "it broke");
  wait_served(3);  // patch refused, create
  std::lock_guard lock(mutex_);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_.begin()->second["count"], 1);
}

}  // namespace
}  // namespace mcpfleet::kube
