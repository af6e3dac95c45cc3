#include "kube/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "tests/kube/fake_client.h"

namespace mcpfleet::kube {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// What the sink was told, in order, to wait for.
class Told final : public Sink {
 public:
  void list_begin() override { add("begin"); }
  void upsert(std::string_view object) override { add("upsert " + std::string(object)); }
  void list_end() override { add("end"); }
  void remove(std::string_view namespace_, std::string_view name) override {
    add("remove " + std::string(namespace_) + "/" + std::string(name));
  }
  void reached(std::string_view version) override { add("reached " + std::string(version)); }

  std::vector<std::string> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return told_.size() >= count; });
    return told_;
  }

 private:
  void add(std::string what) {
    std::lock_guard lock(mutex_);
    told_.push_back(std::move(what));
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
};

// Answers the streams one after the other by a script; when it is over, streams stay open.
class Script {
 public:
  struct Part {
    int status;
    std::string body;
    std::optional<Error> error;
  };
  explicit Script(std::deque<Part> parts) : parts_(std::move(parts)) {
    client.on_stream = [this](const std::string& path, const http::StreamHandler& handler) {
      Part part;
      {
        std::lock_guard lock(mutex_);
        paths_.push_back(path);
        if (parts_.empty()) return;
        part = std::move(parts_.front());
        parts_.pop_front();
      }
      if (part.status != 0) handler.on_head(part.status, {});
      // In two pieces, for lines do not come as such.
      handler.on_data(std::string_view(part.body).substr(0, part.body.size() / 2));
      handler.on_data(std::string_view(part.body).substr(part.body.size() / 2));
      handler.on_end(part.error);
    };
  }
  std::vector<std::string> paths() {
    std::lock_guard lock(mutex_);
    return paths_;
  }
  FakeClient client;

 private:
  std::mutex mutex_;
  std::deque<Part> parts_;
  std::vector<std::string> paths_;
};

constexpr const char* kPage1 =
    R"({"metadata":{"resourceVersion":"5","continue":"t/1"},"items":[{"n":1}]})";
constexpr const char* kPage2 = R"({"metadata":{"resourceVersion":"5"},"items":[{"n":2}]})";
constexpr const char* kEvents =
    R"({"type":"ADDED","object":{"metadata":{"name":"a","namespace":"s","resourceVersion":"6"}}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8"}}}
{"type":"DELETED","object":{"metadata":{"name":"a","namespace":"s","resourceVersion":"9"}}}
)";

TEST(Reflector, ListsInPagesWatchesAndGoesOn) {
  Script script({{200, kPage1, {}}, {200, kPage2, {}}, {200, kEvents, {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/api/v1/pods", "a in (b)", ""}, told);
  EXPECT_THAT(told.wait(10),
              ElementsAre("begin", "upsert {\"n\":1}", "upsert {\"n\":2}", "end", "reached 5",
                          HasSubstr("upsert {\"metadata\":{\"name\":\"a\""), "reached 6",
                          "reached 8", "remove s/a", "reached 9"));
  EXPECT_TRUE(reflector->synced());
  const auto paths = script.paths();
  ASSERT_GE(paths.size(), 3U);
  EXPECT_THAT(paths[0],
              AllOf(HasSubstr("/api/v1/pods?limit=500"),
                    HasSubstr("labelSelector=a%20in%20%28b%29"), Not(HasSubstr("continue"))));
  EXPECT_THAT(paths[1], HasSubstr("continue=t%2F1"));
  EXPECT_THAT(paths[2], AllOf(HasSubstr("watch=1"), HasSubstr("allowWatchBookmarks=true"),
                              HasSubstr("resourceVersion=5")));
}

TEST(Reflector, ListsAgainWhenItsVersionIsGone) {
  const std::string gone =
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})"
      "\n";
  Script script({{200, kPage2, {}}, {200, gone, {}}, {200, kPage2, {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  EXPECT_THAT(told.wait(8), ElementsAre("begin", "upsert {\"n\":2}", "end", "reached 5", "begin",
                                        "upsert {\"n\":2}", "end", "reached 5"));
  EXPECT_EQ(reflector->last_error(), "");
}

TEST(Reflector, SurvivesErrorsOfEveryKind) {
  const Error broke{ErrorKind::Unavailable, "connection reset"};
  Script script({{0, "", broke},
                 {429, R"({"kind":"Status","message":"slow down"})", {}},
                 {200, R"({"metadata":{"resourceV)", broke},
                 {200, "garbage", {}},
                 {200, kPage2, {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  // The garbage began a list that never ended; the next one begins anew.
  EXPECT_THAT(told.wait(5), ElementsAre("begin", "begin", "upsert {\"n\":2}", "end", "reached 5"));
}

TEST(Reflector, SaysWhatIsWrongAndStopsAtOnce) {
  Script script({{403, R"({"kind":"Status","message":"you may not list pods"})", {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (reflector->last_error().empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(reflector->last_error(), "you may not list pods");
  EXPECT_FALSE(reflector->synced());
}

}  // namespace
}  // namespace mcpfleet::kube
