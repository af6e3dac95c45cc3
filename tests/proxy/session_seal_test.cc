#include "proxy/session_seal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace mcpfleet::proxy {
namespace {

const std::string kKey(32, 'k');

SessionSeal make_seal(const std::string& key = kKey) {
  auto seal = SessionSeal::create(key);
  EXPECT_TRUE(seal);
  return std::move(*seal);
}

TEST(SessionSeal, OpensWhatAnyHolderOfTheKeySealed) {
  auto a = make_seal();
  auto b = make_seal();
  for (const auto& session :
       {SealedSession{{"pod-1", "10.0.0.7", 19080}, "backend"}, SealedSession{{"", "", 0}, ""},
        SealedSession{{"p", "fd00::1", 65535}, std::string("\0\xff\"id", 5)},
        SealedSession{{"p", "10.0.0.1", 1}, std::string(1000, 'x')}}) {
    const auto id = a.seal(session);
    ASSERT_TRUE(id);
    EXPECT_EQ(b.open(*id), session);
    EXPECT_TRUE(std::ranges::all_of(*id, [](char c) { return c > 0x20 && c < 0x7f; }));
  }
}

TEST(SessionSeal, RefusesEveryChangedCharacter) {
  auto seal = make_seal();
  const auto id = *seal.seal({{"pod-1", "10.0.0.7", 19080}, "backend"});
  for (std::size_t i = 0; i < id.size(); ++i) {
    auto changed = id;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(seal.open(changed), std::nullopt) << i;
    EXPECT_EQ(seal.open(id.substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(seal.open(id + "A"), std::nullopt);
  EXPECT_EQ(seal.open(id + "="), std::nullopt);
}

TEST(SessionSeal, RefusesForeignIds) {
  auto seal = make_seal();
  auto other = make_seal(std::string(32, 'o'));
  EXPECT_EQ(seal.open(*other.seal({{"p", "10.0.0.1", 1}, "x"})), std::nullopt);
  for (const char* id : {"", "A", "97d616d6-b322-4681-a269-a6ab0518eebe", "not base64url!"})
    EXPECT_EQ(seal.open(id), std::nullopt) << id;
  EXPECT_EQ(seal.open(std::string(100'000, 'A')), std::nullopt);
}

TEST(SessionSeal, NeverGivesTheSameIdTwice) {
  auto seal = make_seal();
  std::set<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.insert(*seal.seal({{"p", "10.0.0.1", 1}, "x"}));
  EXPECT_EQ(ids.size(), 200u);
}

TEST(SessionSeal, SaysWhatIsWrongWithAKeyOrAnId) {
  const auto seal = SessionSeal::create("short");
  ASSERT_FALSE(seal);
  EXPECT_EQ(seal.error().message, "the session key must have 32 bytes, not 5");
  EXPECT_EQ(SessionSeal::from_key_file("/nowhere/key").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(
      make_seal().seal({{"p", "i", 1}, std::string(SessionSeal::kMaxPart + 1, 'x')}).error().kind,
      ErrorKind::Invalid);
}

}  // namespace
}  // namespace mcpfleet::proxy
