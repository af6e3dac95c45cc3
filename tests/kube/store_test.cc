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

// "name uid version value"
Result<Thing> decode(std::string_view text) {
  std::istringstream in{std::string(text)};
  Thing thing;
  if (!(in >> thing.name >> thing.uid >> thing.resource_version >> thing.value)) {
    return fail(ErrorKind::Malformed, "bad thing");
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

TEST_F(StoreTest, AnAnswerThatTheWatchHasOvertakenBringsNothingBack) {
  store_.upsert("a 1 8 1");
  store_.remove("s", "a");
  store_.reached("10");
  store_.note_written({"s", "a", "1", "9", 2});
  EXPECT_EQ(value("a"), -1);
}

TEST_F(StoreTest, AnObjectMadeAnewReplacesAnOlderOneWhateverItsVersion) {
  store_.note_written({"s", "a", "1", "10", 2});
  store_.upsert("a 2 9 3");
  EXPECT_EQ(value("a"), 3);
}

}  // namespace
}  // namespace mcpfleet::kube
