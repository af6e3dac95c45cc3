#include "proxy/session_keys.h"

#include <gtest/gtest.h>

#include "test_gateway.h"

namespace mcpfleet::proxy {
namespace {

const std::string kOld(32, 'o');
const std::string kNew(32, 'n');
const SealedSession kSession{{"pod-1", "10.0.0.7", 19080}, "inner"};

SessionKeys load(const KeyFolder& folder) {
  auto keys = SessionKeys::load(folder.file());
  EXPECT_TRUE(keys);
  return std::move(*keys);
}

TEST(SessionKeys, AnIdOpensOnlyToWhomAndWhatItIsBoundTo) {
  const KeyFolder folder;
  auto keys = load(folder);
  const auto id = keys.seal(kSession, "team/a alice");
  ASSERT_TRUE(id);
  EXPECT_EQ(keys.open(*id, "team/a alice"), kSession);
  EXPECT_EQ(keys.open(*id, "team/b alice"), std::nullopt);
  EXPECT_EQ(keys.open(*id, ""), std::nullopt);
}

// Two replicas read the files at different times; at no time is there an id that one of them
// cannot open.
TEST(SessionKeys, ARotationLosesNoSession) {
  const KeyFolder a_folder(kOld);
  const KeyFolder b_folder(kOld);
  a_folder.write("next", kNew);
  b_folder.write("next", kNew);
  auto a = load(a_folder);
  auto b = load(b_folder);
  const auto before = *a.seal(kSession, "x");
  a_folder.write("key", kNew);
  a_folder.write("previous", kOld);
  a_folder.write("next", std::string(32, 'z'));
  EXPECT_EQ(a.reload(), Result<bool>(true));
  EXPECT_EQ(a.reload(), Result<bool>(false));
  const auto after = *a.seal(kSession, "x");
  for (const auto& id : {before, after, *b.seal(kSession, "x")}) {
    EXPECT_EQ(a.open(id, "x"), kSession);
    EXPECT_EQ(b.open(id, "x"), kSession);
  }
}

TEST(SessionKeys, WhatCannotBeReadLeavesTheKeysAsTheyAre) {
  const KeyFolder folder(kOld);
  auto keys = load(folder);
  const auto id = *keys.seal(kSession, "");
  folder.write("key", "short");
  const auto reloaded = keys.reload();
  ASSERT_FALSE(reloaded);
  EXPECT_EQ(reloaded.error().message,
            folder.file() + ": the session key must have 32 bytes, not 5");
  EXPECT_EQ(keys.open(id, ""), kSession);
  EXPECT_EQ(SessionKeys::load("/nowhere/key").error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace mcpfleet::proxy
