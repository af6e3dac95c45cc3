#include "operator/session_keys.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

// 32 times 'k'.
constexpr const char* kStored =
    R"({"data":{"key":"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="}})";

TEST(SessionKeys, AreAFunctionOfMasterAndUid) {
  const SessionKeys keys(std::string(32, 'k'));
  EXPECT_EQ(keys.key_of("a").size(), 32U);
  EXPECT_EQ(keys.key_of("a"), SessionKeys(std::string(32, 'k')).key_of("a"));
  EXPECT_NE(keys.key_of("a"), keys.key_of("b"));
  EXPECT_NE(keys.key_of("a"), SessionKeys(std::string(32, 'x')).key_of("a"));
  EXPECT_EQ(keys.fingerprint("x").size(), 16U);
}

TEST(SessionKeys, TakesTheStoredMaster) {
  kube::FakeClient client;
  client.answer = [](const auto&) { return kStored; };
  const auto keys = SessionKeys::load(client, "ns");
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->key_of("a"), SessionKeys(std::string(32, 'k')).key_of("a"));
}

TEST(SessionKeys, MakesOneWhereThereIsNoneAndYieldsToTheQuicker) {
  kube::FakeClient client;
  bool exists = false;
  client.answer = [&](const kube::FakeClient::Call& call) -> Result<std::string> {
    if (call.verb == "get" && !exists) return fail(ErrorKind::NotFound, "none");
    if (call.verb == "get") return kStored;
    exists = true;
    return fail(ErrorKind::AlreadyExists, "somebody was quicker");
  };
  const auto keys = SessionKeys::load(client, "ns");
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->key_of("a"), SessionKeys(std::string(32, 'k')).key_of("a"));
}

TEST(SessionKeys, AreRandomOtherwise) {
  const auto made = [] {
    kube::FakeClient client;
    client.answer = [](const kube::FakeClient::Call& call) -> Result<std::string> {
      if (call.verb == "get") return fail(ErrorKind::NotFound, "none");
      return call.body;
    };
    return SessionKeys::load(client, "ns").value().key_of("a");
  };
  EXPECT_NE(made(), made());
}

TEST(SessionKeys, RefuseAShortMaster) {
  kube::FakeClient client;
  for (const char* stored : {"{}", R"({"data":{"key":"a2s="}})", R"({"data":{"key":7}})"}) {
    client.answer = [stored](const auto&) { return stored; };
    EXPECT_FALSE(SessionKeys::load(client, "ns")) << stored;
  }
}

}  // namespace
}  // namespace mcpfleet::op
