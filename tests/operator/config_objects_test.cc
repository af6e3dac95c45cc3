#include "operator/config_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(DigestConfig, IsOfTheDataAlone) {
  const char* const kBase =
      R"({"metadata":{"resourceVersion":"7"},"data":{"a":"MQ==","b":"Mg=="}})";
  const auto base = digest_config(kBase);
  ASSERT_TRUE(base);
  EXPECT_EQ(base->version, "7");
  EXPECT_EQ(base->digest.size(), 32U);
  const struct {
    const char* name;
    const char* json;
    bool same;
  } cases[] = {
      {"labels and order",
       R"({"data":{"b":"Mg==","a":"MQ=="},"metadata":{"labels":{"x":"y"},"resourceVersion":"8"}})",
       true},
      {"another value", R"({"metadata":{"resourceVersion":"8"},"data":{"a":"MQ==","b":"Mw=="}})",
       false},
      {"another key", R"({"metadata":{"resourceVersion":"8"},"data":{"a":"MQ==","c":"Mg=="}})",
       false},
      {"one less", R"({"metadata":{"resourceVersion":"8"},"data":{"a":"MQ=="}})", false},
      {"moved to binaryData",
       R"({"metadata":{"resourceVersion":"8"},"data":{"a":"MQ=="},"binaryData":{"b":"Mg=="}})",
       false},
      {"no data", R"({"metadata":{"resourceVersion":"8"}})", false},
  };
  for (const auto& test : cases) {
    const auto got = digest_config(test.json);
    ASSERT_TRUE(got) << test.name;
    EXPECT_EQ(got->digest == base->digest, test.same) << test.name;
  }
  // Texts that differ only in where one part ends.
  const auto left = digest_config(R"({"metadata":{"resourceVersion":"1"},"data":{"a":"bc"}})");
  const auto right = digest_config(R"({"metadata":{"resourceVersion":"1"},"data":{"ab":"c"}})");
  EXPECT_NE(left->digest, right->digest);
}

TEST(DigestConfig, GarbageIsAnError) {
  for (const char* text : {"{", "[]", R"({"metadata":{}})"}) {
    EXPECT_EQ(digest_config(text).error().kind, ErrorKind::Malformed) << text;
  }
}

// An API server with objects by path, whose watches stay open and say what they are told to.
class Api {
 public:
  Api() {
    client.answer = [this](const kube::FakeClient::Call& call) -> Result<std::string> {
      std::lock_guard lock(mutex_);
      if (fault) return fail(*fault);
      const auto found = objects_.find(call.path);
      if (found == objects_.end()) return fail(ErrorKind::NotFound, "not found");
      return found->second.dump();
    };
    client.on_stream = [this](const std::string& path, const http::StreamHandler& handler) {
      const bool watch = path.find("watch=1") != std::string::npos;
      if (watch && path.find("sendInitialEvents") != std::string::npos) {
        handler.on_head(400, {});
        handler.on_data(R"({"kind":"Status","code":400,"reason":"BadRequest"})");
        return handler.on_end(std::nullopt);
      }
      handler.on_head(200, {});
      if (!watch) {
        handler.on_data(list(path.substr(path.rfind('/') + 1)));
        return handler.on_end(std::nullopt);
      }
      std::lock_guard lock(mutex_);
      watches_.emplace_back(path, handler);
      changed_.notify_all();
    };
  }

  void store(const std::string& path, const char* version, json data) {
    std::lock_guard lock(mutex_);
    objects_[path] = {{"metadata",
                       {{"namespace", "ns"},
                        {"name", path.substr(path.rfind('/') + 1)},
                        {"resourceVersion", version}}},
                      {"data", std::move(data)}};
  }
  void remove(const std::string& path) {
    std::lock_guard lock(mutex_);
    objects_.erase(path);
  }

  // Once `plural` is watched: that the object at `path` is now at `version`.
  void tell(const std::string& plural, const char* type, const std::string& name,
            const char* version) {
    const json event{
        {"type", type},
        {"object",
         {{"kind", "PartialObjectMetadata"},
          {"metadata", {{"namespace", "ns"}, {"name", name}, {"resourceVersion", version}}}}}};
    std::unique_lock lock(mutex_);
    const http::StreamHandler* handler = nullptr;
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      for (const auto& [path, open] : watches_) {
        if (path.find("/" + plural + "?") != std::string::npos) handler = &open;
      }
      return handler != nullptr;
    }));
    handler->on_data(event.dump() + "\n");
  }
  std::vector<std::string> watched() {
    std::lock_guard lock(mutex_);
    std::vector<std::string> paths;
    for (const auto& [path, handler] : watches_) paths.push_back(path.substr(0, path.find('?')));
    return paths;
  }
  // Until so many watches are open: their first lists have been told by then.
  void wait_for_watches(std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10),
                                  [&] { return watches_.size() >= count; }));
  }
  // What a list says, of "secrets?…" or "configmaps?…".
  std::string list(const std::string& plural) {
    json result{{"metadata", {{"resourceVersion", "1"}}}, {"items", json::array()}};
    const std::string folder = "/" + plural.substr(0, plural.find('?')) + "/";
    std::lock_guard lock(mutex_);
    for (const auto& [path, object] : objects_) {
      if (path.find(folder) != std::string::npos) result["items"].push_back(object);
    }
    return result.dump();
  }
  std::size_t reads() const { return client.calls().size(); }

  kube::FakeClient client;
  std::optional<Error> fault;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, json> objects_;
  std::vector<std::pair<std::string, http::StreamHandler>> watches_;
};

constexpr const char* kSecret = "/api/v1/namespaces/ns/secrets/token";
constexpr const char* kConfigMap = "/api/v1/namespaces/ns/configmaps/settings";

fleet::MCPServer server_with(const char* env_from) {
  fleet::MCPServer server;
  server.namespace_ = "ns";
  server.name = "s";
  server.config.env_from = env_from;
  return server;
}

class ConfigObjectsTest : public testing::Test {
 protected:
  std::unique_ptr<ConfigObjects> make(WorldOptions options) {
    return std::make_unique<ConfigObjects>(api_.client, std::move(options),
                                           [this](const std::string& server) {
                                             std::lock_guard lock(mutex_);
                                             changed_.push_back(server);
                                             told_.notify_all();
                                           });
  }
  bool wait_for_change() {
    std::unique_lock lock(mutex_);
    const bool came =
        told_.wait_for(lock, std::chrono::seconds(10), [this] { return !changed_.empty(); });
    changed_.clear();
    return came;
  }
  // Changes may also be those of the first list: what has not come with one comes with a later one.
  bool eventually(const std::function<bool()>& condition) {
    while (!condition()) {
      if (!wait_for_change()) return false;
    }
    return true;
  }

  Api api_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<std::string> changed_;
  const fleet::MCPServer server_ =
      server_with(R"([{"secretRef":{"name":"token"}},{"configMapRef":{"name":"settings"}}])");
};

TEST_F(ConfigObjectsTest, AChangeOfDataChangesTheDigestAndNothingElseDoes) {
  api_.store(kSecret, "10", {{"a", "MQ=="}});
  api_.store(kConfigMap, "11", {{"b", "2"}});
  const auto objects = make({.secrets = true});
  const auto first = objects->look(server_);
  ASSERT_TRUE(first);
  EXPECT_THAT(first->missing, IsEmpty());
  EXPECT_EQ(first->digest.find("MQ=="), std::string::npos);
  // A first list that comes in the middle of a read makes it be read again.
  api_.wait_for_watches(2);
  EXPECT_EQ(objects->look(server_)->digest, first->digest);
  const auto reads = api_.reads();
  {
    std::lock_guard lock(mutex_);
    changed_.clear();
  }
  EXPECT_EQ(objects->look(server_)->digest, first->digest);
  EXPECT_EQ(api_.reads(), reads) << "known";

  api_.store(kSecret, "12", {{"a", "MQ=="}});  // a label
  api_.tell("secrets", "MODIFIED", "token", "12");
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(objects->look(server_)->digest, first->digest);
    return api_.reads() == reads + 1;
  }));

  api_.store(kSecret, "13", {{"a", "Mg=="}});
  api_.tell("secrets", "MODIFIED", "token", "13");
  EXPECT_TRUE(eventually([&] { return objects->look(server_)->digest != first->digest; }));
}

TEST_F(ConfigObjectsTest, TheDigestIsTheSameInAnotherLife) {
  api_.store(kSecret, "10", {{"a", "MQ=="}});
  api_.store(kConfigMap, "11", {{"b", "2"}});
  const auto before = make({.secrets = true})->look(server_);
  const auto after = make({.secrets = true})->look(server_);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->digest, after->digest);
}

TEST_F(ConfigObjectsTest, WhatIsMissingIsToldUntilItComes) {
  api_.store(kConfigMap, "11", {{"b", "2"}});
  const auto objects = make({.secrets = true});
  auto found = objects->look(server_);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->missing.size(), 1U);
  EXPECT_EQ(found->missing[0].name, "token");
  EXPECT_EQ(found->missing[0].field, "spec.config.envFrom[0]");
  api_.store(kSecret, "12", {{"a", "MQ=="}});
  api_.tell("secrets", "ADDED", "token", "12");
  EXPECT_TRUE(eventually([&] { return objects->look(server_)->missing.empty(); }));
  api_.remove(kSecret);
  api_.tell("secrets", "DELETED", "token", "13");
  EXPECT_TRUE(eventually([&] { return objects->look(server_)->missing.size() == 1; }));
}

TEST_F(ConfigObjectsTest, AnOptionalOneMayBeMissingAndRollsWhenItComes) {
  const auto server = server_with(R"([{"configMapRef":{"name":"settings","optional":true}}])");
  const auto objects = make({});
  const auto without = objects->look(server);
  ASSERT_TRUE(without);
  EXPECT_THAT(without->missing, IsEmpty());
  api_.store(kConfigMap, "11", {{"b", "2"}});
  api_.tell("configmaps", "ADDED", "settings", "11");
  EXPECT_TRUE(eventually([&] { return objects->look(server)->digest != without->digest; }));
}

TEST_F(ConfigObjectsTest, SecretsAreNotReadUnlessAllowed) {
  api_.store(kConfigMap, "11", {{"b", "2"}});
  const auto objects = make({.secrets = false});
  const auto found = objects->look(server_);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->missing, IsEmpty());
  api_.tell("configmaps", "MODIFIED", "other", "12");  // waits for the watch
  EXPECT_THAT(api_.watched(), ElementsAre("/api/v1/configmaps"));
  for (const auto& call : api_.client.calls()) EXPECT_THAT(call.path, Not(HasSubstr("secret")));
}

TEST_F(ConfigObjectsTest, WithoutReferencesNothingIsAskedFor) {
  const auto objects = make({.secrets = true});
  const auto found = objects->look(server_with(""));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest, "");
  EXPECT_EQ(api_.reads(), 0U);
  EXPECT_THAT(api_.watched(), IsEmpty());
}

TEST_F(ConfigObjectsTest, OnlyTheNamespacesOfTheInstallationAreWatched) {
  api_.store(kConfigMap, "11", {{"b", "2"}});
  const auto objects = make({.namespaces = {"ns"}, .secrets = false});
  ASSERT_TRUE(objects->look(server_));
  api_.tell("configmaps", "MODIFIED", "settings", "12");
  EXPECT_TRUE(wait_for_change());
  EXPECT_THAT(api_.watched(), ElementsAre("/api/v1/namespaces/ns/configmaps"));
}

TEST_F(ConfigObjectsTest, AnErrorNamesTheObjectAndTheField) {
  api_.fault = Error{ErrorKind::Forbidden, "you may not"};
  const auto found = make({.secrets = true})->look(server_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::Forbidden);
  EXPECT_THAT(found.error().message,
              AllOf(HasSubstr("Secret token of spec.config.envFrom[0]"), HasSubstr("you may not")));
}

}  // namespace
}  // namespace mcpfleet::op
