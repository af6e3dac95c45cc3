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
  bool has(std::string_view, std::string_view, std::string_view version) override {
    return version == known;
  }
  void reached(std::string_view version) override { add("reached " + std::string(version)); }
  std::string known = "none";  // the version of every object

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

// What a server says that is too old to stream a list.
const Script::Part kRefused{
    422, R"({"kind":"Status","code":422,"message":"sendInitialEvents is forbidden"})", {}};
std::string added(const char* name, const char* version) {
  return std::string(R"({"type":"ADDED","object":{"metadata":{"name":")") + name +
         R"(","namespace":"s","resourceVersion":")" + version + "\"}}}\n";
}
std::string listed(const char* version) {
  return std::string(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")") + version +
         R"(","annotations":{"k8s.io/initial-events-end":"true"}}}})" + "\n";
}
std::string object(const char* name, const char* version) {
  return std::string(R"(upsert {"metadata":{"name":")") + name +
         R"(","namespace":"s","resourceVersion":")" + version + "\"}}";
}
constexpr const char* kGone =
    R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})"
    "\n";

TEST(Reflector, ListsByAStreamAndGoesOnWithIt) {
  Script script({{200, added("a", "6") + added("b", "2") + listed("7") + added("c", "8"), {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/api/v1/pods", "a in (b)", ""}, told);
  EXPECT_THAT(told.wait(7), ElementsAre("begin", object("a", "6"), object("b", "2"), "end",
                                        "reached 7", object("c", "8"), "reached 8"));
  EXPECT_TRUE(reflector->synced());
  const auto path = script.paths().at(0);
  for (const char* part :
       {"/api/v1/pods?watch=1", "sendInitialEvents=true", "resourceVersionMatch=NotOlderThan",
        "allowWatchBookmarks=true", "labelSelector=a%20in%20%28b%29"}) {
    EXPECT_THAT(path, HasSubstr(part));
  }
  EXPECT_THAT(path, Not(HasSubstr("&resourceVersion=")));
}

TEST(Reflector, AnEventOfWhatIsHereAlreadyIsNotTaken) {
  Script script({{200, added("a", "6") + listed("7") + added("b", "8") + added("c", "9"), {}}});
  Told told;
  told.known = "8";
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  EXPECT_THAT(told.wait(7), ElementsAre("begin", object("a", "6"), "end", "reached 7", "reached 8",
                                        object("c", "9"), "reached 9"));
  // A list is told whole.
  Script list({{200, added("a", "8") + listed("9"), {}}});
  Told all;
  all.known = "8";
  const auto other = Reflector::start(list.client, {"/x", "", ""}, all);
  EXPECT_THAT(all.wait(4), ElementsAre("begin", object("a", "8"), "end", "reached 9"));
}

TEST(Reflector, IsNotInStepBeforeTheListIsComplete) {
  Script script({{200, added("a", "6"), Error{ErrorKind::Unavailable, "broke"}},
                 {200, added("b", "7") + listed("9"), {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  EXPECT_THAT(told.wait(6), ElementsAre("begin", object("a", "6"), "begin", object("b", "7"), "end",
                                        "reached 9"));
}

TEST(Reflector, AServerThatNeverTellsTheEndOfItsListIsAskedForPages) {
  Script script({{200, added("a", "6"), {}}, {200, added("a", "6"), {}}, {200, kPage2, {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  EXPECT_THAT(told.wait(8), ElementsAre("begin", object("a", "6"), "begin", object("a", "6"),
                                        "begin", "upsert {\"n\":2}", "end", "reached 5"));
}

TEST(Reflector, AnOlderListIsNotTaken) {
  // By pages, and by a stream.
  Script pages({kRefused,
                {200, kPage2, {}},
                {200, added("a", "8") + kGone, {}},
                {200, kPage2, {}},
                {200, R"({"metadata":{"resourceVersion":"9"},"items":[]})", {}}});
  Told told;
  const auto reflector = Reflector::start(pages.client, {"/x", "", ""}, told);
  EXPECT_THAT(told.wait(9),
              ElementsAre("begin", "upsert {\"n\":2}", "end", "reached 5", object("a", "8"),
                          "reached 8", "begin", "end", "reached 9"));
  Script streams({{200, listed("10") + kGone, {}},
                  {200, added("a", "3") + listed("4"), {}},
                  {200, listed("11"), {}}});
  Told by_stream;
  const auto other = Reflector::start(streams.client, {"/x", "", ""}, by_stream);
  EXPECT_THAT(by_stream.wait(8), ElementsAre("begin", "end", "reached 10", "begin",
                                             object("a", "3"), "begin", "end", "reached 11"));
  EXPECT_THAT(streams.paths().at(1), HasSubstr("&resourceVersion=10"));
}

TEST(Reflector, AsksForMetadataAlone) {
  Script script({kRefused, {200, kPage2, {}}});
  Told told;
  const auto reflector =
      Reflector::start(script.client, {.path = "/x", .metadata_only = true}, told);
  told.wait(4);
  const auto accepts = script.client.accepts();
  ASSERT_GE(accepts.size(), 2U);
  EXPECT_EQ(accepts[0], "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
  EXPECT_EQ(accepts[1], "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
}

TEST(Reflector, ListsInPagesWatchesAndGoesOn) {
  Script script({kRefused, {200, kPage1, {}}, {200, kPage2, {}}, {200, kEvents, {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/api/v1/pods", "a in (b)", ""}, told);
  EXPECT_THAT(told.wait(10),
              ElementsAre("begin", "upsert {\"n\":1}", "upsert {\"n\":2}", "end", "reached 5",
                          HasSubstr("upsert {\"metadata\":{\"name\":\"a\""), "reached 6",
                          "reached 8", "remove s/a", "reached 9"));
  EXPECT_TRUE(reflector->synced());
  const auto paths = script.paths();
  ASSERT_GE(paths.size(), 4U);
  EXPECT_THAT(paths[1],
              AllOf(HasSubstr("/api/v1/pods?limit=500"),
                    HasSubstr("labelSelector=a%20in%20%28b%29"), Not(HasSubstr("continue"))));
  EXPECT_THAT(paths[2], HasSubstr("continue=t%2F1"));
  EXPECT_THAT(paths[3], AllOf(HasSubstr("watch=1"), HasSubstr("allowWatchBookmarks=true"),
                              HasSubstr("resourceVersion=5")));
}

TEST(Reflector, ListsAgainWhenItsVersionIsGone) {
  Script script({kRefused, {200, kPage2, {}}, {200, kGone, {}}, {200, kPage2, {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  EXPECT_THAT(told.wait(8), ElementsAre("begin", "upsert {\"n\":2}", "end", "reached 5", "begin",
                                        "upsert {\"n\":2}", "end", "reached 5"));
  EXPECT_EQ(reflector->last_error(), "");
}

TEST(Reflector, SurvivesErrorsOfEveryKind) {
  const Error broke{ErrorKind::Unavailable, "connection reset"};
  Script script({{0, "", broke},
                 kRefused,
                 {429, R"({"kind":"Status","message":"slow down"})", {}},
                 {200, R"({"metadata":{"resourceV)", broke},
                 {200, "garbage", {}},
                 {200, R"({"metadata":{"resourceVersion":"5"},"items":[7]})", {}},
                 {200, kPage2, {}},
                 {200, "garbage\n", {}},
                 {200, added("a", "6").substr(0, 20), broke},
                 {200, added("a", "6"), {}}});
  Told told;
  const auto reflector = Reflector::start(script.client, {"/x", "", ""}, told);
  // What is no list began one that never ended; the next one begins anew.
  EXPECT_THAT(told.wait(7), ElementsAre("begin", "begin", "upsert {\"n\":2}", "end", "reached 5",
                                        object("a", "6"), "reached 6"));
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
