#include "kube/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mcpfleet::kube {
namespace {

using ::testing::ElementsAre;

struct Thing {
  std::string namespace_ = "s";
  std::string name;
  std::string uid;
  std::string resource_version;
  int value = 0;
};

// "name uid version value", the name with its namespace where that is not "s"
Result<Thing> decode(std::string_view text) {
  std::istringstream in{std::string(text)};
  Thing thing;
  if (!(in >> thing.name >> thing.uid >> thing.resource_version >> thing.value)) {
    return fail(ErrorKind::Malformed, "bad thing");
  }
  if (const auto slash = thing.name.find('/'); slash != std::string::npos) {
    thing.namespace_ = thing.name.substr(0, slash);
    thing.name.erase(0, slash + 1);
  }
  return thing;
}

class StoreTest : public testing::Test {
 protected:
  int value(const std::string& name) const {
    const auto thing = store_.get("s/" + name);
    return thing == nullptr ? -1 : thing->value;
  }
  std::vector<std::string> changes_;
  int rejected_ = 0;
  Store<Thing> store_{decode, [this](const std::string& key) { changes_.push_back(key); },
                      [this](const Error&) { ++rejected_; }};
};

TEST_F(StoreTest, AListReplacesWhatWasThere) {
  for (const char* text : {"a 1 1 1", "b 2 2 2"}) store_.upsert(text);
  store_.list_begin();
  store_.upsert("b 2 3 20");
  store_.list_end();
  EXPECT_EQ(value("a"), -1);
  EXPECT_EQ(value("b"), 20);
  EXPECT_THAT(changes_, ElementsAre("s/a", "s/b", "s/b", "s/a"));
}

TEST_F(StoreTest, WhatCannotBeDecodedIsReportedAndTheRestGoesOn) {
  store_.upsert("nonsense");
  store_.upsert("a 1 1 1");
  EXPECT_EQ(rejected_, 1);
  EXPECT_EQ(value("a"), 1);
}

TEST_F(StoreTest, ReadsItsOwnWritesUntilTheWatchIsPastThem) {
  store_.upsert("a 1 8 1");
  store_.reached("8");
  store_.note_written({"s", "a", "1", "10", 2});
  EXPECT_EQ(value("a"), 2);
  // An event from before our write does not undo it; one from after it counts.
  store_.upsert("a 1 9 0");
  EXPECT_EQ(value("a"), 2);
  store_.upsert("a 1 11 3");
  EXPECT_EQ(value("a"), 3);
}

TEST_F(StoreTest, NeedsNoEventOfAVersionThatItHas) {
  store_.list_begin();
  store_.list_end();
  EXPECT_FALSE(store_.has("s", "a", "10"));
  store_.note_written({"s", "a", "1", "10", 2});
  EXPECT_TRUE(store_.has("s", "a", "10"));
  EXPECT_FALSE(store_.has("s", "a", "11"));
  EXPECT_FALSE(store_.has("s", "b", "10"));
}

TEST_F(StoreTest, AnAnswerThatTheWatchHasOvertakenBringsNothingBack) {
  store_.upsert("a 1 8 1");
  store_.remove("s", "a");
  store_.reached("10");
  store_.note_written({"s", "a", "1", "9", 2});
  EXPECT_EQ(value("a"), -1);
  store_.upsert("b 1 11 1");
  store_.reached("11");
  store_.note_written({"s", "b", "1", "10", 2});
  EXPECT_EQ(value("b"), 1);
  store_.note_written({"s", "b", "1", "11", 3});
  EXPECT_EQ(value("b"), 3);
}

TEST_F(StoreTest, AnObjectMadeAnewReplacesAnOlderOneWhateverItsVersion) {
  store_.note_written({"s", "a", "1", "10", 2});
  store_.upsert("a 2 9 3");
  EXPECT_EQ(value("a"), 3);
}

TEST_F(StoreTest, ASecondListForgetsWhatOnlyTheFirstHad) {
  for (const char* second : {"b 2 2 2", "c 3 3 3"}) {
    store_.list_begin();
    store_.upsert("a 1 1 1");
    store_.upsert(second);
    store_.list_end();
  }
  EXPECT_EQ(value("a"), 1);
  EXPECT_EQ(value("b"), -1);
  EXPECT_EQ(value("c"), 3);
}

TEST_F(StoreTest, AListThatIsBegunAnewForgetsNothingThatTheSecondTryNames) {
  store_.list_begin();
  store_.upsert("a 1 1 1");
  store_.list_begin();
  store_.upsert("b 2 2 2");
  store_.upsert("a 1 1 1");
  store_.list_end();
  EXPECT_EQ(value("a"), 1);
  EXPECT_EQ(value("b"), 2);
}

TEST_F(StoreTest, AListOfOneNamespaceLeavesTheOthersAlone) {
  auto& s = store_.scope("s");
  auto& t = store_.scope("t");
  s.upsert("a 1 1 1");
  t.upsert("t/a 2 2 2");
  s.upsert("s-longer/a 3 3 3");  // a name that begins alike is no part of "s"
  s.list_begin();
  s.list_end();
  EXPECT_EQ(store_.get("s/a"), nullptr);
  EXPECT_NE(store_.get("t/a"), nullptr);
  EXPECT_NE(store_.get("s-longer/a"), nullptr);
}

TEST_F(StoreTest, EachNamespaceHasAVersionThatItsOwnWatchHasReached) {
  store_.scope("s").reached("8");
  store_.scope("t").reached("20");
  store_.note_written({"s", "a", "1", "10", 2});
  store_.note_written({"t", "a", "1", "10", 2});
  EXPECT_EQ(value("a"), 2);
  EXPECT_EQ(store_.get("t/a"), nullptr);
}

}  // namespace
}  // namespace mcpfleet::kube
