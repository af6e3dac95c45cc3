#include "operator/config_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::op {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = fleet::Reference::Kind;

class ConfigIndexTest : public testing::Test {
 protected:
  void read(const ConfigKey& key, const char* version, const char* digest) {
    index_.end_read(key, index_.begin_read(key), {version, digest});
  }
  ConfigIndex::Servers seen(const ConfigKey& key, const char* version) {
    return index_.seen(key, version, mark_.mark());
  }

  const ConfigKey key_{Kind::Secret, "ns", "token"};
  ConfigIndex index_;
  kube::ListMark mark_;
};

TEST_F(ConfigIndexTest, WhatNobodyRefersToIsNotKept) {
  EXPECT_THAT(seen(key_, "5"), IsEmpty());
  read(key_, "5", "d");
  EXPECT_EQ(index_.size(), 0U);
  EXPECT_FALSE(index_.known(key_));
}

TEST_F(ConfigIndexTest, KnowsWhatWasReadUntilAChangeIsTold) {
  index_.refer("ns/a", {key_});
  index_.refer("ns/b", {key_});
  EXPECT_FALSE(index_.known(key_));
  read(key_, "10", "d1");
  EXPECT_EQ(index_.known(key_)->digest, "d1");
  EXPECT_THAT(seen(key_, "10"), IsEmpty()) << "the same";
  EXPECT_THAT(seen(key_, "9"), IsEmpty()) << "a watch that is behind";
  EXPECT_TRUE(index_.known(key_));
  EXPECT_THAT(seen(key_, "11"), ElementsAre("ns/a", "ns/b"));
  EXPECT_FALSE(index_.known(key_));
  read(key_, "11", "d2");
  EXPECT_THAT(index_.gone(key_), ElementsAre("ns/a", "ns/b"));
  read(key_, "", "");
  EXPECT_FALSE(index_.known(key_)->exists());
  EXPECT_THAT(index_.gone(key_), IsEmpty()) << "not news";
  EXPECT_THAT(seen(key_, "12"), ElementsAre("ns/a", "ns/b")) << "it came";
}

TEST_F(ConfigIndexTest, WhatIsToldWhileReadingMakesTheAnswerOld) {
  index_.refer("ns/a", {key_});
  const auto ticket = index_.begin_read(key_);
  EXPECT_THAT(seen(key_, "11"), ElementsAre("ns/a"));
  index_.end_read(key_, ticket, {"10", "d1"});
  EXPECT_FALSE(index_.known(key_));
}

TEST_F(ConfigIndexTest, BeforeTheFirstReadNothingIsNews) {
  index_.refer("ns/a", {key_});
  EXPECT_THAT(seen(key_, "11"), IsEmpty());
  EXPECT_THAT(index_.gone(key_), IsEmpty());
}

TEST_F(ConfigIndexTest, AServerForgetsWhatItNoLongerRefersTo) {
  const ConfigKey other{Kind::ConfigMap, "ns", "token"};
  index_.refer("ns/a", {key_, other});
  index_.refer("ns/b", {key_});
  read(key_, "1", "d");
  read(other, "1", "d");
  index_.refer("ns/a", {other});
  EXPECT_THAT(seen(key_, "2"), ElementsAre("ns/b"));
  index_.refer("ns/b", {});
  EXPECT_EQ(index_.size(), 1U);
  EXPECT_THAT(seen(other, "2"), ElementsAre("ns/a"));
  index_.refer("ns/a", {});
  EXPECT_EQ(index_.size(), 0U);
}

TEST_F(ConfigIndexTest, WhatAListDoesNotNameIsGone) {
  const ConfigKey elsewhere{Kind::Secret, "other", "token"};
  const ConfigKey map{Kind::ConfigMap, "ns", "token"};
  const ConfigKey kept{Kind::Secret, "ns", "kept"};
  index_.refer("ns/a", {key_, kept, map});
  index_.refer("other/b", {elsewhere});
  for (const auto& key : {key_, kept, map, elsewhere}) read(key, "1", "d");
  mark_.begin();
  EXPECT_THAT(seen(kept, "1"), IsEmpty());
  EXPECT_THAT(index_.listed(Kind::Secret, "ns", mark_), ElementsAre("ns/a"));
  EXPECT_FALSE(index_.known(key_));
  for (const auto& key : {kept, map, elsewhere}) EXPECT_TRUE(index_.known(key)) << key.name;
  EXPECT_THAT(index_.listed(Kind::Secret, "", mark_), testing::Contains("other/b"));
  EXPECT_FALSE(index_.known(elsewhere));
  EXPECT_TRUE(index_.known(map));
}

}  // namespace
}  // namespace mcpfleet::op
